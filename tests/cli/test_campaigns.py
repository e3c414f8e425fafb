"""The commands of a campaign, as a person and a program use them."""

import json
import shutil
from pathlib import Path

import pytest

from mailer.app import App
from mailer.cli.commands import run

ROOT = Path(__file__).parent.parent.parent
SHORT = """---
title: Brief de noviembre
month: 2022-11
number: 1
subject: Brief Internacional, noviembre
preheader: Lo que Quito hizo en el mundo este mes
---

## Noticias

### Una asamblea

La asamblea se reunió en Quito.
"""
LIST = "correo,nombre\nana@uno.example,Ana\nluis@dos.example,Luis\neva@tres.example,Eva\n"


class Office:
    """A publication in a folder, and its command line."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capfd = capfd

    def type(self, *words: str) -> int:
        return run(["--config", str(self.folder / "config.toml"), *words])

    def read(self, *words: str, status: int = 0) -> object:
        """The JSON document of a command."""
        self.capfd.readouterr()
        assert self.type(*words, "--json") == status
        return json.loads(self.capfd.readouterr().out)

    def refused(self, *words: str) -> str:
        """The sentence of a command that is refused."""
        self.capfd.readouterr()
        assert self.type(*words) == 1
        spoken = self.capfd.readouterr()
        assert spoken.err.count("\n") == 1
        return spoken.err

    def letters(self) -> list[Path]:
        return list((self.folder / "var/outbox").glob("**/*.eml"))


@pytest.fixture
def office(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Office:
    """A publication with three partners, a short issue and the outbox as its way out."""
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    shutil.copy(ROOT / "config.toml", tmp_path)
    (tmp_path / "issues/2022-11").mkdir(parents=True)
    (tmp_path / "issues/2022-11/issue.md").write_text(SHORT, encoding="utf-8")
    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")
    made = Office(tmp_path, capfd)
    assert made.type("subscribers", "import", str(tmp_path / "list.csv"), "--segment", "partners") == 0
    return made


def test_approve_and_send(office: Office):
    """An approved issue goes to everybody once; the account says so, and a second send is refused."""
    assert office.type("approve", "2022-11", "--by", "Dirección") == 0
    sent = office.read("send", "2022-11", "--yes")
    assert sent["counts"] == {
        "recipients": 3,
        "pending": 0,
        "sent": 3,
        "refused": 0,
        "suppressed": 0,
        "undeliverable": 0,
        "uncertain": 0,
    }
    assert (sent["state"], sent["reconciled"]) == ("finished", True)
    assert len(office.letters()) == 3
    assert "--again" in office.refused("send", "2022-11", "--yes")
    assert len(office.letters()) == 3
    assert office.read("campaigns", "list") == [sent]
    assert office.read("send", "2022-11", "--yes", "--again")["id"] == 2


def test_deliveries_name_everybody(office: Office):
    """Each line names the reader, the state and the Message-ID that stands in the message."""
    office.type("approve", "2022-11", "--by", "Dirección")
    office.type("send", "2022-11", "--yes")
    lines = office.read("deliveries", "2022-11", "--state", "sent")
    assert sorted(line["email"] for line in lines) == ["ana@uno.example", "eva@tres.example", "luis@dos.example"]
    written = "".join(path.read_text() for path in office.letters())
    assert all(line["message_id"] in written for line in lines)
    assert office.read("deliveries", "2022-11", "--state", "refused") == []
    assert "there is no state" in office.refused("deliveries", "2022-11", "--state", "lost")


def test_what_came_back_is_shown(office: Office):
    """A complaint stands beside its delivery and in the campaign's account; nothing stands beside the others."""
    office.type("approve", "2022-11", "--by", "Dirección")
    assert office.read("send", "2022-11", "--yes")["feedback"] == {}
    _complain(office, "luis@dos.example")
    lines = office.read("deliveries", "2022-11")
    assert sorted((line["email"], line["feedback"]) for line in lines) == [
        ("ana@uno.example", ""),
        ("eva@tres.example", ""),
        ("luis@dos.example", "complained"),
    ]
    assert office.read("campaigns", "show", "1")["feedback"] == {"complained": 1}
    office.type("campaigns", "show", "1")
    assert "Came back: 1 complained" in office.capfd.readouterr().out


def test_what_may_not_go_out_is_refused(office: Office):
    """Unapproved, edited since, to an unknown segment, to nobody, unasked: each one sentence, and nothing is sent."""
    assert "not approved" in office.refused("send", "2022-11", "--yes")
    office.type("approve", "2022-11", "--by", "Dirección")
    assert "no segment press" in office.refused("send", "2022-11", "--yes", "--segment", "press")
    assert "nobody" in office.refused("send", "2022-11", "--yes", "--segment", "gads")
    assert "--yes" in office.refused("send", "2022-11")
    text = office.folder / "issues/2022-11/issue.md"
    text.write_text(text.read_text() + "\nUna línea más.\n")
    assert "edited after Dirección" in office.refused("send", "2022-11", "--yes")
    assert office.letters() == []
    assert office.read("campaigns", "list") == []


def test_schedule_and_cancel(office: Office):
    """A campaign is scheduled in local time, and can be cancelled before its hour."""
    office.type("approve", "2022-11", "--by", "Dirección")
    assert "is past" in office.refused("schedule", "2022-11", "--at", "2020-01-01 09:00")
    planned = office.read("schedule", "2022-11", "--at", "2099-11-30 09:00")
    assert planned["state"] == "scheduled"
    assert office.read("campaigns", "cancel", str(planned["id"]), "--yes")["state"] == "cancelled"
    assert "not paused" in office.refused("campaigns", "resume", str(planned["id"]))
    assert "no campaign 99" in office.refused("campaigns", "show", "99")


def test_a_way_out_that_is_shut_pauses_and_send_goes_on(office: Office):
    """A refused login pauses the campaign in one sentence, nobody is marked, and the next send goes on."""
    office.type("approve", "2022-11", "--by", "Dirección")
    blocked = office.folder / "var/outbox"
    blocked.parent.mkdir(exist_ok=True)
    blocked.write_text("in the way")
    assert "paused" in office.refused("send", "2022-11", "--yes").lower()
    blocked.unlink()
    assert office.read("send", "2022-11", "--yes")["counts"]["sent"] == 3


def test_uncertain_deliveries_are_settled_by_a_person(office: Office):
    """--accept counts one as sent; --resend sends the other again, and the campaign finishes anew."""
    office.type("approve", "2022-11", "--by", "Dirección")
    office.type("send", "2022-11", "--yes")
    _doubt_two(office)
    assert office.read("campaigns", "show", "1")["counts"]["uncertain"] == 2
    assert "no uncertain delivery" in office.refused("campaigns", "resolve", "1", "--accept", "--email", "x@y.example")
    accepted = office.read("campaigns", "resolve", "1", "--accept", "--email", "ana@uno.example")
    assert accepted["counts"]["uncertain"] == 1
    again = office.read("campaigns", "resolve", "1", "--resend")
    assert (again["state"], again["counts"]["pending"]) == ("sending", 1)
    done = office.read("send", "2022-11", "--yes")
    assert (done["state"], done["counts"]["sent"]) == ("finished", 3)


def _complain(office: Office, email: str) -> None:
    """Let a provider report that the reader complained of the first campaign."""
    from mailer import config
    from mailer.feedback.absorb import absorb
    from mailer.feedback.event import Event, Happening

    app = App(config.load(office.folder / "config.toml"))
    line = next(line for line in app.ledger.deliveries(1) if line.recipient.email == email)
    delivery = f"1-{line.recipient.subscriber_id}"
    event = Event("e1", Happening.COMPLAINED, app.clock.now(), "ses", address=email, delivery=delivery)
    absorb([event], book=app.mailroom.book, policy=app.mailroom.policy, now=app.clock.now(), evidence=b"")
    app.close()


def _doubt_two(office: Office) -> None:
    """Make the first campaign one of which two answers never came."""
    from sqlalchemy import update

    from mailer import config
    from mailer.storage.campaign_tables import deliveries

    app = App(config.load(office.folder / "config.toml"))
    with app.database.write() as connection:
        doubt = {"state": "uncertain", "uncertain_at": app.clock.now()}
        connection.execute(update(deliveries).where(deliveries.c.id <= 2).values(doubt))
    app.close()
