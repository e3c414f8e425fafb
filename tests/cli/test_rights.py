"""Access and erasure reach every book, in a process that has opened none of them before."""

import json
import sqlite3
from pathlib import Path

from mailer import config
from mailer.app import App
from mailer.feedback.absorb import absorb
from mailer.feedback.event import Event, Happening
from tests.publication import Publication

PERSON = "ana@uno.example"


def output(office: Publication, *words: str) -> str:
    """What a command prints that runs as a process of its own."""
    process = office.start(*words)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    return out


def came_back(office: Publication) -> None:
    """A report on the letter to the person, and one that is known by their address alone."""
    app = App(config.load(office.config))
    (line,) = (line for line in app.ledger.deliveries(1) if line.recipient.email == PERSON)
    now = app.clock.now()
    events = [
        Event("e1", Happening.DEFERRED, now, "ses", address=PERSON, delivery=f"1-{line.recipient.subscriber_id}"),
        Event("e2", Happening.DEFERRED, now, "mail", address=PERSON.upper(), diagnosis=f"<{PERSON}>: mailbox busy"),
    ]
    absorb(events, book=app.mailroom.book, policy=app.mailroom.policy, now=now, evidence=PERSON.encode())
    app.close()


def test_export_tells_and_erasure_removes_everything(tmp_path: Path):
    """What came back is in the export too; once erased, no table names the person, and the sums stand."""
    office = Publication.small(tmp_path)
    people = office.write_list(PERSON, "luis@dos.example")
    office.run("subscribers", "import", str(people), "--segment", "partners", "--proof", "lista de la Dirección")
    people.unlink()
    office.run("approve", "2022-11", "--by", "Dirección")
    before = office.json("send", "2022-11", "--yes")["counts"]
    came_back(office)
    held = json.loads(output(office, "subscribers", "export", PERSON))["held"]
    assert len(held["feedback"]) == 2
    assert (held["subscriber"]["email"], held["deliveries"][0]["state"]) == (PERSON, "sent")
    assert held["imports"][0]["proof"] == "lista de la Dirección"
    output(office, "subscribers", "erase", PERSON, "--yes")
    with sqlite3.connect(office.folder / "var" / "mailer.db") as books:
        assert [line for line in books.iterdump() if "uno.example" in line.lower()] == []
    books.close()
    assert office.json("campaigns", "show", "1")["counts"] == before


def test_what_cannot_be_done_is_one_sentence(tmp_path: Path):
    """A copy that has no place is refused, and so is an erasure that nobody is there to confirm."""
    office = Publication.small(tmp_path)
    office.enlist(1, "partners")
    nowhere = ("--out", str(tmp_path / "nowhere" / "copy.json"))
    assert "name another file with --out" in office.refusal("subscribers", "export", "persona0@lista.example", *nowhere)
    assert "add --yes" in office.refusal("subscribers", "erase", "persona0@lista.example")
    assert office.json("subscribers", "show", "persona0@lista.example")["state"] == "active"
