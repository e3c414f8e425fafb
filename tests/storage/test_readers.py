"""What readers do to their own entry, over both databases."""

import itertools
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from mailer.storage.database import Database
from mailer.storage.notices import Notices
from mailer.storage.preferences import Choices, Preferences
from mailer.storage.register.tables import memberships, subscribers
from mailer.storage.rights import Rights
from mailer.storage.signups import Limit, Signups, Wish
from mailer.testing import FrozenClock
from mailer.tokens import Signer

WISH = Wish(email="Prensa@nuevo.example", name="Prensa", language="es", segments=("gads", "partners"), consent="v1")


def seals(key: str) -> tuple[str, ...]:
    """Keyed hashes of an address."""
    return Signer(["secret"]).seals("erased", key)


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands still until told."""
    return FrozenClock()


def join(database: Database, clock: FrozenClock, wish: Wish = WISH) -> int:
    """Subscribe and confirm."""
    signups = Signups(database, clock, seals)
    signups.ask(wish, [])
    notice = next(one for one in Notices(database, clock).due() if one.kind == "confirm" and one.email == wish.email)
    reader = signups.confirm(notice.about)
    Notices(database, clock).done(notice)
    assert reader is not None
    return reader.id


def states(database: Database, number: int) -> dict[str, str]:
    """How a reader stands in each segment."""
    with database.read() as connection:
        rows = connection.execute(select(memberships).where(memberships.c.subscriber_id == number)).all()
    return {row.segment: row.state for row in rows}


def test_a_whole_life(database: Database, clock: FrozenClock) -> None:
    """Join, change, leave, come back, be shown everything, be erased: each step holds what it promises."""
    preferences, rights = Preferences(database, clock), Rights(database, clock, seals)
    number = join(database, clock)
    until = clock.now() + timedelta(days=30)
    changed = preferences.change(
        number, Choices(language="en", segments=("gads",), paused_until=until, name="Redacción")
    )
    assert (changed.language, changed.segments, changed.paused_until, changed.name) == (
        "en",
        ("gads",),
        until,
        "Redacción",
    )
    assert preferences.leave({number: "one-click", 999: "nobody"}) == {number}
    gone = preferences.find(number)
    assert (gone.is_gone, gone.left) == (True, ("gads",))
    assert states(database, number) == {"gads": "left", "partners": "left"}
    assert preferences.come_back(number).segments == ("gads",)
    held = rights.everything(number, who="reader")
    assert {entry.action for entry in held["audit"]} == {
        "subscribed",
        "changed preferences",
        "unsubscribed",
        "undid leaving",
    }
    rights.erase(number, who="reader")
    assert preferences.find(number) is None
    assert rights.is_erased("prensa@NUEVO.example")


def test_joining_again_is_the_same_person(database: Database, clock: FrozenClock) -> None:
    """An address is one reader, however it is spelled and however often it joins."""
    number = join(database, clock)
    Preferences(database, clock).leave({number: "page"})
    again = join(database, clock, Wish("PRENSA@nuevo.example", "", "en", ("diplomats",), "v1"))
    assert again == number
    assert states(database, number) == {"gads": "left", "partners": "left", "diplomats": "joined"}
    assert Preferences(database, clock).find(number).name == "Prensa"
    with database.read() as connection:
        assert len(connection.execute(select(subscribers)).all()) == 1


def test_undo_belongs_to_the_last_departure(database: Database, clock: FrozenClock) -> None:
    """Undoing gives back what the last departure took, and works once."""
    preferences, number = Preferences(database, clock), join(database, clock)
    preferences.change(number, Choices(language="es", segments=("gads",), paused_until=None))
    preferences.leave({number: "page"})
    assert preferences.come_back(number).segments == ("gads",)
    assert preferences.come_back(number) is None


def test_a_limit_holds_in_a_crowd(database: Database, clock: FrozenClock) -> None:
    """However many ask at once, a limit is never exceeded."""
    signups = Signups(database, clock, seals)
    limits = [Limit("a", 5, clock.now() + timedelta(days=1)), Limit("b", 50, clock.now() + timedelta(days=1))]
    granted: list[bool] = []
    crowd = [threading.Thread(target=lambda: granted.append(signups.spend(*limits))) for _ in range(12)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(30)
    assert sorted(granted) == [False] * 7 + [True] * 5


def test_letters_are_put_off_and_given_up(database: Database, clock: FrozenClock) -> None:
    """A letter that nobody takes is tried ever more seldom, for a day or so, and then no more."""
    Signups(database, clock, seals).ask(WISH, [])
    notices, tried_at, begun = Notices(database, clock), [], clock.now()
    while clock.now() - begun < timedelta(days=5):
        for notice in notices.due():
            notices.put_off(notice)
            tried_at.append(clock.now())
        clock.advance(minutes=10)
    waits = [later - earlier for earlier, later in itertools.pairwise(tried_at)]
    assert len(tried_at) == 12
    assert waits == sorted(waits)
    assert timedelta(hours=24) < sum(waits, timedelta()) < timedelta(hours=48)
    assert notices.due() == []
