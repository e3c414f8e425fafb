"""`mailer subscribers` and `mailer segments`, run as a person runs them."""

import json

import pytest

from mailer.cli.commands import run


def test_import_list_and_segments_agree(mailer):
    """What an import counts as new is what the list streams and the segments count."""
    account = mailer("subscribers", "import", "subscribers/diplomats.csv", "--segment", "diplomats", "--json")
    assert {key: account[key] for key in ("import_id", "rows", "new", "changed", "unchanged", "rejected")} == {
        "import_id": 1, "rows": 62, "new": 62, "changed": 0, "unchanged": 0, "rejected": 0,
    }  # fmt: skip
    assert (account["kept_unsubscribed"], account["rejects_file"]) == (0, None)
    lines = mailer("subscribers", "list", "--segment", "diplomats", "--json")
    assert len(lines) == 62
    assert lines[0] == {
        "email": "embajada@alemania.example", "name": "", "language": "es", "segments": ["diplomats"],
        "state": "active", "deliverable": True,
    }  # fmt: skip
    first, *others = mailer("segments", "--json")
    assert first["name"] == "diplomats"
    assert first["title"] == "Cuerpo diplomático"
    assert [first[key] for key in ("subscribers", "deliverable", "unsubscribed", "suppressed")] == [62, 62, 0, 0]
    assert [other["subscribers"] for other in others] == [0, 0]


def test_an_empty_register_lists_an_empty_array(mailer):
    """`list --json` is one JSON document even with nobody in it."""
    assert mailer("subscribers", "list", "--json") == []


def test_a_dry_run_tells_and_changes_nothing(mailer):
    """A dry run prints the account and leaves the register empty."""
    said = mailer("subscribers", "import", "subscribers/gads.csv", "--segment", "gads", "--dry-run")
    assert "244" in said
    assert "Tipo, Provincia" in said
    assert "244 nuevos" in said
    assert mailer("subscribers", "list", "--json") == []


def test_an_import_is_taken_back(mailer):
    """`undo ID`, or `import undo ID`, empties what the import filled; `imports` remembers it."""
    for undo in (["undo"], ["import", "undo"]):
        number = mailer("subscribers", "import", "subscribers/gads.csv", "--segment", "gads", "--json")["import_id"]
        assert mailer("subscribers", *undo, str(number), "--json")["gone"] == 244
        assert mailer("subscribers", "list", "--json") == []
    assert [bool(each["undone_at"]) for each in mailer("subscribers", "imports", "--json")] == [True, True]


def test_who_left_one_segment_is_shown_and_not_revived(mailer):
    """`unsubscribe --segment` is told by `show` with who and when, and the next import respects it."""
    for name in ("diplomats", "partners"):
        mailer("subscribers", "import", f"subscribers/{name}.csv", "--segment", name, "--json")
    address = "ecuador@jica.example"
    assert mailer("subscribers", "unsubscribe", address, "--segment", "partners", "--by", "Redacción", "--json")[
        "changed"
    ]
    assert not mailer("subscribers", "unsubscribe", address, "--segment", "partners", "--json")["changed"]
    account = mailer("subscribers", "import", "subscribers/partners.csv", "--segment", "partners", "--json")
    assert (account["kept_unsubscribed"], account["unchanged"]) == (1, 39)
    shown = mailer("subscribers", "show", "ECUADOR@jica.example", "--json")
    assert shown["segments"] == ["diplomats"]
    assert {each["segment"]: each["state"] for each in shown["memberships"]} == {
        "diplomats": "joined",
        "partners": "left",
    }
    assert [(entry["action"], entry["who"]) for entry in shown["history"]][-1] == ("unsubscribe", "Redacción")
    assert "partners: left since" in mailer("subscribers", "show", address)


def test_a_person_may_see_everything_and_be_gone(mailer, house):
    """The copy holds grounds and history; after the erasure no list brings the address back."""
    take_in = ("subscribers", "import", "subscribers/gads.csv", "--segment", "gads", "--json")
    mailer(*take_in, "--basis", "public function", "--proof", "the cantons' directory of 2022")
    address = "alcaldia@paquisha.example"
    mailer("subscribers", "ground", address, "consent", "--text", "2022-11", "--proof", "letter 17")
    shown = mailer("subscribers", "show", address, "--json")
    assert [ground["basis"] for ground in shown["grounds"]] == ["public function", "consent"]
    copy = json.loads(mailer("subscribers", "export", address, "--asked-on", "2022-11-01"))
    assert copy["held"]["subscriber"]["email"] == address
    assert copy["held"]["consents"][0]["proof"] == "letter 17"
    assert copy["answered"]["due_on"] == "2022-11-16"
    assert mailer("subscribers", "erase", address, "--yes", "--json")["erased"]
    assert address in mailer("subscribers", "show", address, status=1)
    account = mailer(*take_in)
    assert (account["new"], account["kept"]) == (0, {"erased": 1})
    assert "erased" in mailer("subscribers", "export", address, status=1)


def test_a_post_changes_hands(mailer):
    """Who takes over waits for their own yes; who goes is out; an import of the old list changes neither."""
    take_in = ("subscribers", "import", "subscribers/gads.csv", "--segment", "gads", "--json")
    mailer(*take_in)
    old, new = "alcaldia@paquisha.example", "despacho@paquisha.example"
    moved = mailer("subscribers", "succeed", old, new, "--by", "Protocolo", "--json")
    assert (moved["segments"], moved["state"]) == (["gads"], "unconfirmed")
    shown = mailer("subscribers", "show", new, "--json")
    assert (shown["position"], shown["deliverable"], shown["segments"]) == ("Alcaldesa", False, ["gads"])
    assert mailer("subscribers", "show", old, "--json")["segments"] == []
    mailer("subscribers", "unsubscribe", new)
    assert "has unsubscribed" in mailer("subscribers", "succeed", "alcaldia@nabon.example", new, status=1)


def test_the_long_gone_shrink_to_a_seal(mailer):
    """`register tidy` erases who left long ago, and the next import doesn't bring them back; the report counts them."""
    take_in = ("subscribers", "import", "subscribers/partners.csv", "--segment", "partners", "--json")
    mailer(*take_in, "--basis", "contract")
    mailer("subscribers", "unsubscribe", "ecuador@jica.example")
    assert mailer("register", "tidy", "--json")["people"] == 0
    assert mailer("register", "tidy", "--days", "0", "--dry-run", "--json") == {"days": 0, "people": 1, "erased": 0}
    assert mailer("register", "tidy", "--days", "0", "--json")["erased"] == 1
    assert mailer(*take_in)["kept"] == {"erased": 1}
    report = mailer("register", "report", "--json")
    assert (report["people"], report["erasures"]) == (39, 1)
    assert report["by_ground"] == {"contract": 39}
    page = mailer("register", "report")
    assert "finalidad" in page
    assert "contrato: 39" in page


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import", "subscribers/gads.csv", "--segment", "mayors"], "diplomats, gads, partners"),
        (["import", "nowhere.csv", "--segment", "gads"], "nowhere.csv"),
        (["import", "subscribers", "--segment", "gads"], "folder"),
        (["import", "subscribers/gads.csv", "--segment", "gads", "--map", "email"], "FIELD=COLUMN"),
        (["import", "subscribers/gads.csv", "--segment", "gads", "--map", "mail=Correo"], "no field 'mail'"),
        (["import", "subscribers/gads.csv", "--segment", "gads", "--encoding", "latin-9000"], "latin-9000"),
        (["import", "subscribers/gads.csv", "--segment", "gads", "--separator", "x"], "separator"),
        (["list", "--segment", "mayors"], "mayors"),
        (["show", "nobody@a.example"], "nobody@a.example"),
        (["unsubscribe", "nobody@a.example"], "nobody@a.example"),
    ],
)
def test_a_wrong_order_is_one_plain_sentence(mailer, arguments, says):
    """What can't be done exits with 1 and says what to do on standard error, and nothing on standard output."""
    error = mailer("subscribers", *arguments, status=1)
    assert says in error
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_an_account_is_in_one_language_to_its_last_sentence(mailer, house, capfd):
    """Counts, hidden rows, what was put aside and why nothing went in are told as the rest of the account is."""
    path = house / "lista.csv"
    path.write_text("correo\tcargo\na@a.example\tAlcalde\nsin arroba\tx\n", encoding="utf-8")
    order = ("subscribers", "import", "lista.csv", "--segment", "partners")
    assert mailer(*order, "--dry-run").startswith("2 filas (utf-8, tabulador) entrarían en partners:\n")
    assert "el registro o la lista cambió" in mailer(*order, "--plan", "0123456789ab", status=1)
    assert run([*order]) == 1
    assert "1 fila de 2 se apartó" in capfd.readouterr().err
    path.write_text("correo\nb@b.example\n", encoding="utf-8")
    assert "1 de las 1 personas de partners no están en la lista" in mailer(*order, "--sync", status=1)
    assert mailer(*order).startswith("1 fila (utf-8, “;”) entró en partners:\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "undo"), "say which import to undo"),
        (("import", "mal\nnombre.csv", "--segment", "gads"), "give the file another"),
        (("import", "\udcff.csv", "--segment", "gads"), "give the file another"),
        (("import", "subscribers/gads.csv", "--segment", "gads", "--sheet", "Hoja1"), "has no --sheet"),
        (("succeed", "embajada@alemania.example", "sin arroba"), "is no address"),
        (("succeed", "embajada@alemania.example", "a@closed.example"), "is suppressed"),
        (("succeed", "embajada@alemania.example", "prensa@gone.example"), "was erased"),
        (("export", "embajada@alemania.example", "--out", "no/such/folder.json"), "can't be written"),
        (("export", "embajada@alemania.example", "--asked-on", "2999-01-01"), "still to come"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(mailer, house, arguments, says):
    """Whatever is wrong with an order, one sentence says so, and nothing has changed."""
    (house / "one.csv").write_text("correo\nprensa@gone.example\n", encoding="utf-8")
    mailer("subscribers", "import", "one.csv", "--segment", "partners")
    mailer("subscribers", "erase", "prensa@gone.example", "--yes")
    mailer("suppressions", "add", "@closed.example")
    mailer("subscribers", "import", "subscribers/diplomats.csv", "--segment", "diplomats")
    before = mailer("subscribers", "list", "--json")
    told = mailer("subscribers", *arguments, status=1)
    assert says in told
    assert told.count("\n") == 1
    assert mailer("subscribers", "list", "--json") == before
