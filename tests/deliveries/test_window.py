"""The hours in which a campaign may send."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.deliveries.window import Window

QUITO = ZoneInfo("America/Guayaquil")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A time of day in Quito in November 2022, which begins on a Tuesday."""
    return datetime(2022, 11, day, hour, minute, tzinfo=QUITO)


@pytest.mark.parametrize(
    ("text", "instant", "opens"),
    [
        ("mon-fri 08:00-18:00", at(4, 12), at(4, 12)),
        ("mon-fri 08:00-18:00", at(4, 18), at(7, 8)),
        ("mon-fri 08:00-18:00", at(5, 12), at(7, 8)),
        ("Mon-Fri 8:00 - 18:00", at(7, 7, 59), at(7, 8)),
        ("fri-mon 08:00-18:00", at(1, 12), at(4, 8)),
        ("daily 22:00-06:00", at(2, 3), at(2, 3)),
        ("daily 22:00-06:00", at(2, 6), at(2, 22)),
        ("22:00-24:00", at(2, 6), at(2, 22)),
        ("mon-fri 08:00-12:00, sat 09:00-10:00", at(4, 13), at(5, 9)),
    ],
)
def test_it_opens(text: str, instant: datetime, opens: datetime):
    """The next instant at which a message may go out, in the publication's time zone."""
    assert Window.parse(text, QUITO).opens(instant.astimezone(UTC)) == opens


@pytest.mark.parametrize("text", ["", "always", "mon-fri", "mon-fri 8-18", "mon 25:00-26:00", "daily-fri 08:00-18:00"])
def test_what_are_no_hours_is_refused(text: str):
    """Anything else is refused, and the sentence shows how to write it."""
    with pytest.raises(ValueError, match="mon-fri 08:00-18:00"):
        Window.parse(text, QUITO)


@settings(max_examples=50)
@given(st.integers(0, 365 * 24 * 60), st.sampled_from(["Europe/Madrid", "America/Guayaquil"]))
def test_it_always_opens_within_a_week(minutes: int, zone: str):
    """Whenever one asks, also on the days on which clocks change, the window is open at the instant it names."""
    window = Window.parse("sun 01:30-03:15", ZoneInfo(zone))
    asked = datetime(2022, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    opens = window.opens(asked)
    assert window.is_open(opens)
    assert asked <= opens <= asked + timedelta(days=8)
