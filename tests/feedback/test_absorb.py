"""What follows from what came back: pure policy, and the whole way through a real database."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from mailer.feedback.absorb import Past, Policy, Recorded, TokenSpent, absorb, attribute, effect_of
from mailer.feedback.event import Event, Happening, weightier
from mailer.feedback.intake import events_of
from mailer.feedback.reason import Reason
from mailer.messages.letterhead import identity
from mailer.storage.campaign_tables import campaigns, deliveries
from mailer.storage.database import Database
from mailer.storage.feedback import SqlFeedbackBook, feedback, standings
from mailer.storage.register.tables import memberships, subscribers, suppressions
from mailer.testing.clock import FrozenClock
from mailer.testing.values import a_letterhead
from mailer.tokens import Signer

SIGNER = Signer(["the publication's secret"])
NOW = datetime(2022, 12, 1, 14, tzinfo=UTC)
POLICY = Policy()


def an_event(happening=Happening.BOUNCED, **given):
    plausible = {"id": "e1", "happening": happening, "at": NOW, "source": "mailbox", "delivery": "1-1"}
    return Event(**plausible | given)


def hard(**given):
    return an_event(reason=Reason.UNKNOWN_USER, hard=True, status="5.1.1", **given)


def soft(**given):
    return an_event(**{"reason": Reason.MAILBOX_FULL, "status": "4.2.2"} | given)


def a_person(number):
    email = f"alcaldia{number}@canton.example"
    known = {"id": number, "email": email, "email_key": email, "domain": "canton.example"}
    return known | {"created_at": NOW, "updated_at": NOW}


def a_campaign(number):
    named = {"id": number, "issue": "2022-11", "content_hash": "x", "segments": "[]"}
    return named | {"state": "finished", "created_at": NOW}


def a_delivery(campaign, number):
    empty = ("name", "honorific", "position", "institution", "country", "reply", "status", "lane", "transport")
    to = {"email": f"Alcaldia{number}@canton.example", "domain": "canton.example", "segment": "gads", "language": "es"}
    done = {"state": "sent", "attempts": 1, "due_at": NOW, "code": 250, "updated_at": NOW}
    return {**dict.fromkeys(empty, ""), "campaign_id": campaign, "subscriber_id": number, **to, **done}


@pytest.fixture
def book(database_url):
    database = Database(database_url)
    people, sent = (1, 2), (1, 2, 3, 4)
    joined = {"segment": "gads", "state": "joined", "changed_at": NOW}
    with database.write() as connection:
        connection.execute(subscribers.insert(), [a_person(number) for number in people])
        connection.execute(memberships.insert(), [joined | {"subscriber_id": number} for number in people])
        connection.execute(campaigns.insert(), [a_campaign(number) for number in sent])
        connection.execute(deliveries.insert(), [a_delivery(one, number) for one in sent for number in people])
    yield SqlFeedbackBook(database, FrozenClock(NOW), SIGNER)
    database.close()


def rows(book, table):
    with book.database.read() as connection:
        return list(connection.execute(select(table)))


def take(book, *events):
    return absorb(events, book=book, policy=POLICY, now=NOW, evidence=b"the raw mail")


def test_one_hard_bounce_suppresses_for_good():
    """After one hard bounce the address is not written to again."""
    suppression = effect_of(hard(), Past(), POLICY, NOW).suppress
    assert (suppression.reason, suppression.until) == ("bounce", None)


def test_soft_bounces_add_up_to_a_pause():
    """The third soft bounce within the span pauses the address, and the pause ends."""
    assert effect_of(soft(), Past(soft=1), POLICY, NOW).suppress is None
    assert effect_of(soft(), Past(soft=2), POLICY, NOW).suppress.until == NOW + POLICY.soft_pause


@pytest.mark.parametrize("reason", [Reason.REPUTATION, Reason.AUTH, Reason.CONTENT, Reason.POLICY, Reason.RATE])
def test_bounces_that_mean_us_pause_nobody(reason):
    """A blocklist or a filter says nothing about the address, however often it answers."""
    assert effect_of(soft(reason=reason), Past(soft=9), POLICY, NOW).suppress is None


@pytest.mark.parametrize(
    "happening", [Happening.DELIVERED, Happening.DEFERRED, Happening.ANSWERED, Happening.OPENED, Happening.CLICKED]
)
def test_other_happenings_change_nothing(happening):
    """Delivered, deferred, answered, opened and clicked have no effect on consent."""
    assert effect_of(an_event(happening), Past(hard=5, soft=5), POLICY, NOW) == effect_of(
        an_event(happening), Past(), POLICY, NOW
    )


def test_order_of_happenings_does_not_matter():
    """A delivery is known by the weightiest happening, in whatever order they come."""
    for order in itertools.permutations([Happening.DELIVERED, Happening.OPENED, Happening.COMPLAINED]):
        known = None
        for happening in order:
            known = weightier(known, happening)
        assert known is Happening.COMPLAINED


def test_hard_bounce_reaches_the_suppressions(book):
    """A bounce with our token suppresses the address that we wrote to, not the one that the report claims."""
    assert take(book, hard(address="embajada@otra.example")) == [Recorded.SUPPRESSED]
    assert [row.key for row in rows(book, suppressions)] == ["alcaldia1@canton.example"]
    assert [(row.campaign_id, row.happening) for row in rows(book, standings)] == [(1, "bounced")]


def test_same_event_counts_once(book):
    """An event handed in twice is known the second time, and nothing is done again."""
    assert take(book, soft()) == [Recorded.RECORDED]
    assert take(book, soft()) == [Recorded.KNOWN]
    assert len(rows(book, feedback)) == 1


def test_a_token_is_good_for_one_event(book):
    """What a provider signed once vouches for no second event."""
    assert take(book, soft(id="a", token="once")) == [Recorded.RECORDED]
    with pytest.raises(TokenSpent):
        take(book, soft(id="b", token="once"))
    assert len(rows(book, feedback)) == 1


def test_soft_bounces_of_three_campaigns_pause(book):
    """One soft bounce a campaign counts; the third campaign pauses the address until a day."""
    assert take(book, *(soft(id=f"a{n}", delivery="1-1") for n in range(5))) == [Recorded.RECORDED] * 5
    assert take(book, soft(id="b", delivery="2-1")) == [Recorded.RECORDED]
    assert take(book, soft(id="c", delivery="3-1")) == [Recorded.SUPPRESSED]
    assert rows(book, suppressions)[0].until == NOW + POLICY.soft_pause


def test_suppression_for_good_is_never_shortened(book):
    """A pause that comes after a complaint leaves the complaint standing."""
    take(book, an_event(Happening.COMPLAINED, id="complaint"))
    for campaign in (1, 2, 3):
        take(book, soft(id=f"s{campaign}", delivery=f"{campaign}-1"))
    (row,) = rows(book, suppressions)
    assert (row.reason, row.until) == ("complaint", None)


def test_late_delivered_does_not_beat_a_complaint(book):
    """What was complained of stays so when "delivered" comes late."""
    take(book, an_event(Happening.COMPLAINED, id="1"), an_event(Happening.DELIVERED, id="2"))
    assert [row.happening for row in rows(book, standings)] == ["complained"]


def test_mail_that_proves_nothing_changes_nothing(book):
    """A bounce without a token of ours is kept for a person, whatever address it names."""
    assert take(book, hard(delivery="", address="alcaldia1@canton.example")) == [Recorded.UNATTRIBUTED]
    assert not rows(book, suppressions)
    assert book.counts() == {"unattributed": 1}


def test_vouched_event_finds_its_owner_by_address(book):
    """A signed webhook may name an address alone."""
    event = hard(delivery="", address="ALCALDIA2@canton.example", is_vouched=True)
    assert take(book, event) == [Recorded.SUPPRESSED]
    assert [row.key for row in rows(book, suppressions)] == ["alcaldia2@canton.example"]


def test_unknown_delivery_changes_nothing(book):
    """A token that names a delivery which isn't there is unattributed."""
    assert take(book, hard(delivery="9-9")) == [Recorded.UNATTRIBUTED]


def test_wish_to_leave_by_mail(book):
    """A mail to the unsubscribe address takes its reader, and nobody else, out of everything."""
    assert take(book, an_event(Happening.UNSUBSCRIBED, delivery="1-2")) == [Recorded.UNSUBSCRIBED]
    assert {row.id: row.state for row in rows(book, subscribers)} == {1: "active", 2: "unsubscribed"}


def test_evidence_is_kept_and_dropped_when_of_age(book):
    """The raw mail is there until it comes of age; then the event stays without it."""
    take(book, hard())
    assert book.entry(1)[1] == b"the raw mail"
    assert book.drop_evidence(NOW + timedelta(days=1)) == 1
    assert book.entry(1)[1] == b""


def test_returned_mail_becomes_events():
    """A DSN to the bounce address of a delivery becomes one event of that delivery, the same each time."""
    ours = identity(a_letterhead(), SIGNER, 1, 1)
    raw = (
        f"Delivered-To: {ours.sender}\nFrom: MAILER-DAEMON@mx.example\nSubject: Undelivered\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n'
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        "Final-Recipient: rfc822; ana@a.example\nAction: failed\nStatus: 4.2.2\n\n"
        "Final-Recipient: rfc822; ben@a.example\nAction: failed\nStatus: 5.1.1\n--b--\n"
    ).encode()
    (event,) = events_of(raw, signer=SIGNER, now=NOW)
    assert (event.delivery, event.happening, event.hard) == ("1-1", Happening.BOUNCED, True)
    assert events_of(raw, signer=SIGNER, now=NOW) == [event]


@pytest.mark.parametrize(
    ("original", "final", "hard"),
    [
        ("ana@gad.example", "ana@buzon.gad.example", True),
        ("ana@gad.example", "ben@otro.example", False),
        ("", "ben@otro.example", False),
        ("", "ana@gad.example", True),
    ],
    ids=["a renamed domain", "an alias", "an alias that is not told", "the address itself"],
)
def test_who_stands_behind_the_address(original, final, hard):
    """An address that took the message and passed it on is not gone because somebody behind it is."""
    sender = identity(a_letterhead(), SIGNER, 1, 1).sender
    fields = f"Original-Recipient: rfc822; {original}\n" * bool(original) + f"Final-Recipient: rfc822; {final}\n"
    raw = (
        f"From: MAILER-DAEMON@mx.example\nTo: {sender}\nSubject: Undelivered\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        f"--b\nContent-Type: message/delivery-status\n\n{fields}Action: failed\nStatus: 5.1.1\n\n"
        "--b\nContent-Type: text/rfc822-headers\n\nTo: ana@gad.example\n\n--b--\n"
    )
    (event,) = events_of(raw.encode(), signer=SIGNER, now=NOW)
    assert (event.delivery, event.reason, event.hard) == ("1-1", Reason.UNKNOWN_USER, hard)


def test_mail_to_the_unsubscribe_address_becomes_a_wish():
    """Whatever a mail to the unsubscribe address says, it is the wish to leave."""
    address = identity(a_letterhead(), SIGNER, 1, 2).unsubscribe_mail.removeprefix("mailto:")
    (event,) = events_of(f"To: {address}\n\n".encode(), signer=SIGNER, now=NOW)
    assert (event.happening, event.delivery) == (Happening.UNSUBSCRIBED, "1-2")


def test_what_is_attributed_later_counts_once(book):
    """An event that named nobody is taken out and absorbed anew when its delivery is known, and not before."""
    unknown = hard(id="m", delivery="", address="Alcaldia1@canton.example")
    assert absorb([unknown], book=book, policy=POLICY, now=NOW) == [Recorded.UNATTRIBUTED]
    for delivery, outcome in (("", Recorded.UNATTRIBUTED), ("1-1", Recorded.SUPPRESSED), ("1-1", Recorded.KNOWN)):
        assert attribute([hard(id="m", delivery=delivery)], book=book, policy=POLICY, now=NOW) == [outcome]
        assert book.counts() == {"unattributed" if outcome is Recorded.UNATTRIBUTED else "suppressed": 1}
