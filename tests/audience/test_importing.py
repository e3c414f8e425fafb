"""Lists go in as offices keep them, once, and nobody who left comes back."""

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.audience.importing.encoding import encoding_of
from mailer.audience.register import Change
from mailer.errors import AuthorError, Refused
from mailer.storage.register import suppressions

WORDS = ["Cañar", "Nabón", "Bolívar", "Prefectura", "Alcaldía", "Pelileo", "Penipe", "Logroño", "Cónsul"]
LISTS = Path(__file__).parents[2] / "subscribers"


def people(register, segment=None):
    return {line.email: line for line in register.lines(segment)}


def sums_up(account):
    parts = account.new + account.changed + account.unchanged + account.rejected + account.kept_unsubscribed
    return account.rows + account.extra_addresses == parts


def test_the_sample_lists_go_in_whole(register, take_in):
    """Every row of the three sample lists is a subscriber, and the three shared addresses are in both segments."""
    counts = [take_in((LISTS / f"{name}.csv").read_bytes(), name).rows for name in ("diplomats", "gads", "partners")]
    assert counts == [62, 244, 40]
    found = people(register)
    assert len(found) == 343
    assert sum(len(line.segments) == 2 for line in found.values()) == 3
    assert [count.deliverable for count in register.segment_counts(["diplomats", "gads", "partners"])] == counts


def test_a_second_import_changes_nothing(register, take_in):
    """Importing a list twice leaves every line of the register as it was."""
    take_in((LISTS / "gads.csv").read_bytes())
    before = people(register)
    account = take_in((LISTS / "gads.csv").read_bytes())
    assert (account.new, account.changed, account.unchanged) == (0, 0, 244)
    assert people(register) == before


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp850", "mac_roman"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_encodings_and_separators_are_found(register, take_in, encoding, separator):
    """The same list arrives alike in each encoding and separator that Spanish offices use."""
    rows = [
        ["Institución", "Correo electrónico", "Cargo"],
        ["Municipio de Cañar", "a@canar.example", "Alcaldesa"],
        ["Prefectura de Bolívar", "b@bolivar.example", "Prefecto"],
        ["GAD Nabón, Azuay; rural", "c@nabon.example", "Cónsul"],
    ]
    text = "\r\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows)
    account = take_in(text.encode(encoding))
    assert account.new == 3
    found = register.find("c@nabon.example")
    assert (found.institution, found.position) == ("GAD Nabón, Azuay; rural", "Cónsul")


@given(
    words=st.lists(
        st.sampled_from(WORDS),
        min_size=1,
    )
)
def test_no_spanish_word_is_mangled(words):
    """Spanish words written in any of the three old encodings are read in one that gives them back."""
    text = "\n".join(words)
    for encoding in ("cp1252", "cp850", "mac_roman"):
        found = encoding_of([text.encode(encoding)])
        assert text.encode(encoding).decode(found) == text


def test_a_sep_line_and_a_title_above_the_heading_are_passed_over(take_in, register):
    """Excel's `sep=` line, a title and empty rows stand above the heading; lines are counted from the file's first."""
    account = take_in("sep=;\n;;\nDirectorio de alcaldías 2022;;\n\nN°;Correo;Cargo\n1;a@a.example;Alcalde\n2;no;x\n")
    assert (account.new, account.rejected) == (1, 1)
    assert account.rejects[0]["line"] == 7
    assert register.find("a@a.example").position == "Alcalde"


def test_long_lists_lose_no_row_where_reading_starts(take_in, register):
    """With more rows than any look-ahead, every row arrives."""
    account = take_in("correo\n" + "".join(f"p{n}@a.example\n" for n in range(5000)))
    assert (account.rows, account.new) == (5000, 5000)
    assert len(people(register)) == 5000


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Alcaldía <a@a.example>", ["a@a.example"]),
        ("mailto:a@a.example", ["a@a.example"]),
        (" a@a.example. ", ["a@a.example"]),
        ("a@a.example\u00a0", ["a@a.example"]),
        ("ａ＠ａ．ｅｘａｍｐｌｅ", ["a@a.example"]),
        ("A@A.Example", ["A@a.example"]),
        ("\u200ba@a.example", ["a@a.example"]),
        ("a@a.example; b@b.example", ["a@a.example", "b@b.example"]),
        ("a@a.example / b@b.example", ["a@a.example", "b@b.example"]),
        ("a@a.example y b@b.example", ["a@a.example", "b@b.example"]),
        ("a@a.example\nb@b.example", ["a@a.example", "b@b.example"]),
        ('"a@a.example"', ["a@a.example"]),
        ("(a@a.example)", ["a@a.example"]),
        ("correo: a@a.example", ["a@a.example"]),
    ],
)
def test_addresses_are_cleaned(take_in, register, cell, expected):
    """What people put around addresses is taken off, and several in one cell are several subscribers."""
    quoted = cell.replace('"', '""')
    account = take_in(f'correo,cargo\n"{quoted}",Alcalde\n')
    assert sorted(people(register)) == sorted(expected)
    assert sums_up(account)


def test_bad_rows_are_put_aside_and_can_be_mended(take_in, register, tmp_path):
    """Good rows go in; the others stand in a file with the list's columns, which imports once they are mended."""
    account = take_in("Entidad;Correo;Nota\nUno;uno@a.example;x\nDos;dos.a.example;y\n;;z\nCuatro;a b@c;=1+1\n")
    assert (account.rows, account.new, account.rejected) == (4, 1, 3)
    with Path(account.rejects_file).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert rows[0] == ["Entidad", "Correo", "Nota", "line", "reason"]
    assert [row[3] for row in rows[1:]] == ["3", "4", "5"]
    assert rows[3][2] == "'=1+1"
    mended = Path(account.rejects_file).read_text("utf-8-sig").replace("dos.a.example", "dos@a.example")
    again = take_in(mended, name="list.rejects.csv")
    assert (again.new, again.rejected) == (1, 2)
    assert register.find("dos@a.example").institution == "Dos"
    assert Path(again.rejects_file) != Path(account.rejects_file)


def test_an_address_twice_in_one_list_is_taken_once(take_in, register):
    """A row that repeats another is no second person; one that contradicts it is rejected, with the line."""
    lines = [f"x{n}@a.example,Alcalde\n" for n in range(3000)]
    lines.insert(10, "X1@a.example,Alcalde\n")
    text = "correo,cargo\n" + "".join([*lines, "x2@a.example,Alcaldesa\n", "x2999@a.example,Alcaldesa\n"])
    account = take_in(text)
    assert (account.new, account.repeated, account.unchanged, account.rejected) == (3000, 1, 1, 2)
    assert ["line 4" in account.rejects[0]["reason"], "line 3002" in account.rejects[1]["reason"]] == [True, True]
    assert sums_up(account)
    again = take_in(text)
    assert (again.unchanged, again.repeated, again.rejected) == (3001, 1, 2)
    assert again.rejects == account.rejects


def test_who_left_stays_away(take_in, register, database, clock):
    """Nobody who left a segment, left everything or was suppressed is brought back or changed by a list."""
    take_in("correo,cargo\na@a.example,Uno\nb@a.example,Uno\nc@c.example,Uno\nd@a.example,Uno\n")
    register.unsubscribe("A@a.example", "gads", who="a reader")
    register.unsubscribe("b@a.example", None, who="a reader")
    with database.write() as connection:
        for key in ("@c.example", "new@a.example"):
            connection.execute(suppressions.insert().values(key=key, reason="complaint", since=clock.now()))
    account = take_in(
        "correo,cargo\na@a.example,Dos\nb@a.example,Dos\nc@c.example,Dos\nd@a.example,Dos\nNew@a.example,Dos\n"
    )
    assert account.kept == {"left": 1, "unsubscribed": 1, "suppressed": 2}
    assert (account.changed, account.new, account.kept_unsubscribed) == (1, 0, 4)
    assert [register.find(f"{who}@a.example").position for who in "abd"] == ["Uno", "Uno", "Dos"]
    assert [line.email for line in people(register).values() if line.deliverable] == ["d@a.example"]
    assert register.find("new@a.example") is None


def test_an_empty_cell_overwrites_nothing(take_in, register):
    """A list with fewer columns or empty cells keeps what the register has."""
    take_in("correo,cargo,pais\na@a.example,Alcalde,Perú\n")
    account = take_in("correo,cargo\na@a.example,\n")
    assert account.unchanged == 1
    assert register.find("a@a.example").country == "PE"
    assert register.find("a@a.example").position == "Alcalde"


def test_a_second_list_fills_but_does_not_garble(take_in, register):
    """The list that brought a person keeps their details; another fills what is empty, and may change that later."""
    take_in("correo,cargo,nombre\na@a.example,Embajador,\n", "diplomats")
    account = take_in("correo,cargo,nombre\na@a.example,Socio,Sección de Cooperación\n", "partners")
    assert (account.changed, account.kept_details) == (1, 1)
    take_in("correo,cargo,nombre\na@a.example,Socio,Cooperación\n", "partners")
    person = register.find("a@a.example")
    assert (person.position, person.name, person.segments) == (
        "Embajador",
        "Cooperación",
        ("diplomats", "partners"),
    )


def test_a_dry_run_gives_the_account_and_changes_nothing(take_in, register, tmp_path):
    """A dry run says what the real run then does, field by field, and writes neither register nor rejects."""
    take_in("correo,cargo\na@a.example,Uno\n")
    content = "correo,cargo\na@a.example,Dos\nb@a.example,Uno\nbad,x\n"
    tried = take_in(content, dry_run=True)
    assert people(register).keys() == {"a@a.example"}
    assert not list(tmp_path.glob("*rejects*"))
    done = take_in(content)
    assert (tried.new, tried.changed, tried.rejected) == (done.new, done.changed, done.rejected) == (1, 1, 1)
    assert tried.changes == done.changes == [Change("a@a.example", "position", "Uno", "Dos")]
    assert tried.import_id is None


def test_columns_can_be_named_by_hand(take_in, register):
    """`--map` takes a heading or a column's number, and a column that isn't there is refused with the list of them."""
    take_in("quién,dónde\nAlcaldía,a@a.example\n", mapping={"email": "Donde", "name": "1"})
    assert register.find("a@a.example").name == "Alcaldía"
    with pytest.raises(Refused, match="'quién', 'dónde'"):
        take_in("quién,dónde\nx,a@a.example\n", mapping={"email": "cuándo"})


def test_a_list_of_bare_addresses_needs_no_heading(take_in, register):
    """One address a line is a list."""
    assert take_in("a@a.example\nb@a.example\n").new == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        ("\n\n \n", "empty"),
        ("nombre,cargo\nx,y\n", "no column is headed as an address"),
        ("correo,cargo,puesto\na@a.example,x,y\n", "both look like the position"),
        ('correo,cargo\na@a.example,"Alcalde\nb@a.example,x\n', "never closed"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_whole(take_in, register, content, says):
    """The sentence says what is wrong and where, and nothing goes in."""
    with pytest.raises(AuthorError, match=says):
        take_in(content)
    assert not people(register)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.data())
def test_every_row_is_accounted_for(take_in, register, data):
    """Whatever the cells hold, rows and extra addresses are the sum of what became of them, dry and real alike."""
    cell = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters='"\0\r\n\ue000'), max_size=12)
    address = st.one_of(st.sampled_from(["a@a.example", "b@b.example", "no", ""]), cell)
    rows = data.draw(st.lists(st.tuples(address, cell, cell), max_size=8))
    text = "correo,cargo,idioma\n" + "".join(",".join(f'"{each}"' for each in row) + "\n" for row in rows)
    tried, done = take_in(text, dry_run=True), take_in(text)
    for account in (tried, done):
        assert sums_up(account)
        assert account.rows == sum(any(each.strip() for each in row) for row in rows)
    assert (tried.new, tried.changed, tried.unchanged) == (done.new, done.changed, done.unchanged)
