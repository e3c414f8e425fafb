"""The commands of a campaign, as a person and a program use them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailer.app import App
from tests.publication import Publication

PEOPLE = ("ana@uno.example", "luis@dos.example", "eva@tres.example")


@pytest.fixture
def office(tmp_path: Path) -> Publication:
    """A publication with three partners, a short issue and the outbox as its way out."""
    made = Publication.small(tmp_path)
    made.run("subscribers", "import", str(made.write_list(*PEOPLE)), "--segment", "partners")
    return made


def test_approve_and_send(office: Publication):
    """An approved issue goes to everybody once; the account says so, and a second send is refused."""
    office.run("approve", "2022-11", "--by", "Dirección")
    sent = office.json("send", "2022-11", "--yes")
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
    assert "--again" in office.refusal("send", "2022-11", "--yes")
    assert len(office.letters()) == 3
    assert office.json("campaigns", "list") == [sent]
    assert office.json("send", "2022-11", "--yes", "--again")["id"] == 2


def test_a_chosen_segment_is_not_taken_for_what_was_left(office: Publication):
    """What an earlier send left to one segment goes on when it is meant, and stands in no other segment's way."""
    office.run("subscribers", "import", str(office.write_list("gad@cuatro.example")), "--segment", "gads")
    office.run("approve", "2022-11", "--by", "Dirección")
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%a").lower()
    office.configure("^connections = 4", f'connections = 4\nwindow = "{day} 08:00-09:00"')
    assert office.json("send", "2022-11", "--segment", "partners", "--yes")["state"] == "sending"
    office.configure("^window = .*", "")
    assert office.json("send", "2022-11", "--segment", "gads", "--yes")["segments"] == ["gads"]
    assert len(office.letters()) == 1
    assert office.json("send", "2022-11", "--yes")["id"] == 1
    assert len(office.letters()) == 4


def test_deliveries_name_everybody(office: Publication):
    """Each line names the reader, the state and the Message-ID that stands in the message."""
    office.run("approve", "2022-11", "--by", "Dirección")
    office.run("send", "2022-11", "--yes")
    lines = office.json("deliveries", "2022-11", "--state", "sent")
    assert sorted(line["email"] for line in lines) == ["ana@uno.example", "eva@tres.example", "luis@dos.example"]
    written = "".join(path.read_text() for path in office.letters())
    assert all(line["message_id"] in written for line in lines)
    assert office.json("deliveries", "2022-11", "--state", "refused") == []
    assert "there is no state" in office.refusal("deliveries", "2022-11", "--state", "lost")


def test_what_came_back_is_shown(office: Publication):
    """A complaint stands beside its delivery and in the campaign's account; nothing stands beside the others."""
    office.run("approve", "2022-11", "--by", "Dirección")
    assert office.json("send", "2022-11", "--yes")["feedback"] == {}
    _complain(office, "luis@dos.example")
    lines = office.json("deliveries", "2022-11")
    assert sorted((line["email"], line["feedback"]) for line in lines) == [
        ("ana@uno.example", ""),
        ("eva@tres.example", ""),
        ("luis@dos.example", "complained"),
    ]
    assert office.json("campaigns", "show", "1")["feedback"] == {"complained": 1}
    assert "Came back: 1 complained" in office.run("campaigns", "show", "1").out


def test_what_may_not_go_out_is_refused(office: Publication):
    """Unapproved, edited since, to an unknown segment, to nobody, unasked: each one sentence, and nothing is sent."""
    assert "not approved" in office.refusal("send", "2022-11", "--yes")
    office.run("approve", "2022-11", "--by", "Dirección")
    assert 'no segment "press"' in office.refusal("send", "2022-11", "--yes", "--segment", "press")
    assert "nobody" in office.refusal("send", "2022-11", "--yes", "--segment", "gads")
    assert "--yes" in office.refusal("send", "2022-11")
    text = office.folder / "issues/2022-11/issue.md"
    text.write_text(text.read_text() + "\nUna línea más.\n")
    assert "edited after Dirección" in office.refusal("send", "2022-11", "--yes")
    assert office.letters() == []
    assert office.json("campaigns", "list") == []


def test_schedule_and_cancel(office: Publication):
    """A campaign is scheduled in local time, and can be cancelled before its hour."""
    office.run("approve", "2022-11", "--by", "Dirección")
    assert "is past" in office.refusal("schedule", "2022-11", "--at", "2020-01-01 09:00")
    planned = office.json("schedule", "2022-11", "--at", "2099-11-30 09:00")
    assert planned["state"] == "scheduled"
    assert office.json("campaigns", "cancel", str(planned["id"]), "--yes")["state"] == "cancelled"
    assert "not paused" in office.refusal("campaigns", "resume", str(planned["id"]))
    assert "no campaign 99" in office.refusal("campaigns", "show", "99")


def test_a_way_out_that_is_shut_pauses_and_send_goes_on(office: Publication):
    """What shuts it is told in one sentence, brackets and all; nobody is marked, and the next send goes on."""
    office.run("approve", "2022-11", "--by", "Dirección")
    office.configure(r'^folder = "var/outbox"', 'folder = "var/out[/box]"')
    blocked = office.folder / "var/out[/box]"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("in the way")
    assert "paused" in office.refusal("send", "2022-11", "--yes").lower()
    assert f"the outbox {blocked} can't be made" in office.run("campaigns", "show", "1").out
    blocked.unlink()
    assert office.json("send", "2022-11", "--yes")["counts"]["sent"] == 3


def test_uncertain_deliveries_are_settled_by_a_person(office: Publication):
    """--accept counts one as sent; --resend sends the other again, and the campaign finishes anew."""
    office.run("approve", "2022-11", "--by", "Dirección")
    office.run("send", "2022-11", "--yes")
    _doubt_two(office)
    assert office.json("campaigns", "show", "1")["counts"]["uncertain"] == 2
    assert "no uncertain delivery" in office.refusal("campaigns", "resolve", "1", "--accept", "--email", "x@y.example")
    accepted = office.json("campaigns", "resolve", "1", "--accept", "--email", "ana@uno.example")
    assert accepted["counts"]["uncertain"] == 1
    again = office.json("campaigns", "resolve", "1", "--resend")
    assert (again["state"], again["counts"]["pending"]) == ("sending", 1)
    done = office.json("send", "2022-11", "--yes")
    assert (done["state"], done["counts"]["sent"]) == ("finished", 3)


def _complain(office: Publication, email: str) -> None:
    """Let a provider report that the reader complained of the first campaign."""
    from mailer import config
    from mailer.feedback.absorb import absorb
    from mailer.feedback.event import Event, Happening

    app = App(config.load(office.config))
    line = next(line for line in app.ledger.deliveries(1) if line.recipient.email == email)
    delivery = f"1-{line.recipient.subscriber_id}"
    event = Event("e1", Happening.COMPLAINED, app.clock.now(), "ses", address=email, delivery=delivery)
    absorb([event], book=app.mailroom.book, policy=app.mailroom.policy, now=app.clock.now(), evidence=b"")
    app.close()


def _doubt_two(office: Publication) -> None:
    """Make the first campaign one of which two answers never came."""
    from sqlalchemy import update

    from mailer import config
    from mailer.storage.campaign_tables import deliveries

    app = App(config.load(office.config))
    with app.database.write() as connection:
        doubt = {"state": "uncertain", "uncertain_at": app.clock.now()}
        connection.execute(update(deliveries).where(deliveries.c.id <= 2).values(doubt))
    app.close()
