"""The book of clicks, over both databases."""

from datetime import datetime

import pytest
from sqlalchemy import select

from mailer.campaigns.campaign import State as CampaignState
from mailer.deliveries.delivery import State
from mailer.feedback.scanners import Change, Click, Judged
from mailer.messages.trail import Link
from mailer.storage.campaign_tables import campaigns, deliveries
from mailer.storage.click_tables import clickers
from mailer.storage.clicks import Clicks, clickers_of, let_clicks_be_kept
from mailer.storage.database import Database
from mailer.storage.register.tables import subscribers
from mailer.testing import FrozenClock

LINKS = (Link("a", "https://a.example/"), Link("b", "https://b.example/"))


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands still until told."""
    return FrozenClock()


@pytest.fixture
def book(database: Database, clock: FrozenClock) -> Clicks:
    """The book, with a reader, a campaign and its two links laid."""
    now = clock.now()
    with database.write() as connection:
        entry = {"email": "a@b.example", "email_key": "a@b.example", "domain": "b.example"}
        connection.execute(subscribers.insert().values(id=1, created_at=now, updated_at=now, **entry))
        row = {"id": 1, "issue": "2022-11", "content_hash": "x", "segments": "[]", "state": CampaignState.SENDING.value}
        connection.execute(campaigns.insert().values(**row, created_at=now, frozen_at=now))
    clicks = Clicks(database)
    clicks.lay(1, "individual", {("gads", "es"): LINKS}, trap_url="https://q.example/", now=now)
    return clicks


def deliver(database: Database, number: int, at: datetime) -> None:
    """Let a message of the campaign have gone out."""
    blank = dict.fromkeys(("name", "honorific", "position", "institution", "country", "reply", "status"), "")
    row = blank | {"campaign_id": 1, "subscriber_id": number, "email": "a@b.example", "segment": "gads"}
    row |= {"language": "es", "domain": "b.example", "lane": "", "state": State.SENT.value, "attempts": 1, "code": 250}
    with database.write() as connection:
        connection.execute(deliveries.insert().values(**row, due_at=at, updated_at=at, transport=""))


def test_what_was_laid_stays(book: Clicks, clock: FrozenClock) -> None:
    """A second laying changes nothing, and each link is found with where it leads and how many its edition has."""
    before = book.laid(1)
    book.lay(1, "none", {("gads", "es"): LINKS[:1]}, trap_url="https://q.example/", now=clock.now())
    assert book.laid(1) == before
    assert before.tracking == "individual"
    assert list(before.editions["gads", "es"]) == list(LINKS)
    found = book.link(before.editions["gads", "es"][LINKS[1]])
    assert found is not None
    assert (found.url, found.segment, found.of, found.is_trap) == ("https://b.example/", "gads", 2, False)
    assert book.link(before.traps["gads", "es"]).is_trap
    assert book.link(999) is None
    assert book.laid(7).tracking == "none"


def test_figures_move_when_judged_anew(book: Clicks, clock: FrozenClock) -> None:
    """A click counts once: what is judged again moves from one figure to the other, and the sums hold."""
    number = book.laid(1).editions["gads", "es"][LINKS[0]]
    click = Click(number, edition=1, of=2, whence="x", at=0.0)
    book.count([Change(click, Judged.PERSON), Change(click, Judged.AGENT)], now=clock.now())
    book.count([Change(click, Judged.BURST, Judged.PERSON), Change(click, Judged.BURST)], now=clock.now())
    counts, tracking = book.counts("2022-11")
    assert tracking == {1: "individual"}
    assert [(each.article, each.raw, each.human, each.is_trap) for each in counts] == [
        ("", 0, 0, True),
        ("a", 3, 0, False),
        ("b", 0, 0, False),
    ]
    assert counts[1].judged == {"agent": 1, "burst": 2}


def test_a_name_stays_no_longer_than_the_yes(book: Clicks, database: Database, clock: FrozenClock) -> None:
    """A reader's click is kept while they consent, taken back with the judgement, and gone with the consent."""
    number = book.laid(1).editions["gads", "es"][LINKS[0]]
    click = Click(number, edition=1, of=2, whence="x", at=0.0, reader=1)

    def kept() -> list[int]:
        with database.read() as connection:
            assert list(connection.scalars(select(clickers.c.subscriber_id))) == list(
                connection.scalars(clickers_of("2022-11"))
            )
            return list(connection.scalars(select(clickers.c.subscriber_id)))

    def say(*, given: bool) -> None:
        clock.advance(minutes=1)
        with database.write() as connection:
            let_clicks_be_kept(connection, 1, given=given, text_version="v1", now=clock.now())

    began = clock.now()
    book.count([Change(click, Judged.PERSON)], now=clock.now())
    assert kept() == []
    say(given=True)
    for _ in range(2):
        book.count([Change(click, Judged.PERSON)], now=clock.now())
    assert kept() == [1]
    book.count([Change(click, Judged.TRAP, Judged.PERSON)], now=clock.now())
    assert kept() == []
    book.count([Change(click, Judged.PERSON)], now=clock.now())
    say(given=False)
    assert kept() == []
    assert book.consenting(clock.now()) == book.consenting(began) == frozenset()


def test_what_is_fresh(book: Clicks, database: Database, clock: FrozenClock) -> None:
    """A click is hasty while half of the messages it can come from are new; a named one goes by its own message."""
    link = book.link(book.laid(1).editions["gads", "es"][LINKS[0]])
    assert book.is_fresh(link, 0, since=clock.now()), "before the first is recorded"
    for number in (1, 2):
        deliver(database, number, clock.now())
    clock.advance(minutes=1)
    since = clock.now()
    assert not book.is_fresh(link, 0, since=since)
    clock.advance(seconds=1)
    deliver(database, 3, clock.now())
    assert not book.is_fresh(link, 0, since=since), "one of three"
    assert [book.is_fresh(link, number, since=since) for number in (1, 3)] == [False, True]
    deliver(database, 4, clock.now())
    assert book.is_fresh(link, 0, since=since), "two of four"
