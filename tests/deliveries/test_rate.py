"""The arithmetic of rates, under a clock that goes as the test says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.deliveries.rate import Grant, Rate, Spent, grant, handed_back

NOON = datetime(2026, 5, 29, 12, tzinfo=UTC)
PAUSES = st.lists(st.tuples(st.floats(0, 7200), st.integers(1, 30)), min_size=1, max_size=20)


def instants(given: Grant) -> list[datetime]:
    return [given.at + timedelta(seconds=given.interval * step) for step in range(given.number)]


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [("50/s", 50, 1), ("600/min", 600, 60), (" 14 / S ", 14, 1), ("2000/h", 2000, 3600), ("10000/day", 10000, 86400)],
)
def test_rates_are_read(text: str, count: int, seconds: int):
    """A rate is a number and a unit."""
    assert Rate.parse(text) == Rate(count, seconds)


@pytest.mark.parametrize("text", ["", "50", "fast", "0/s", "-5/s", "5/week", "1.5/s", "5/s/s"])
def test_what_is_no_rate_is_refused(text: str):
    """Anything else is refused, and the sentence shows how to write one."""
    with pytest.raises(ValueError, match="10000/day"):
        Rate.parse(text)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 500), seconds=st.sampled_from([1, 60]), pauses=PAUSES)
def test_an_even_rate_is_never_exceeded(count: int, seconds: int, pauses: list[tuple[float, int]]):
    """However it is asked for, in no span of time goes out more than the rate allows, but for a tenth of a second."""
    rate, spent, now, out = Rate(count, seconds), Spent(), NOON, []
    for pause, wanted in pauses:
        now += timedelta(seconds=pause / 600)
        granted, spent = grant(rate, spent, wanted, now=now)
        assert granted.number <= wanted
        out += instants(granted)
    assert out == sorted(out)
    for index, first in enumerate(out):
        for number, last in enumerate(out[index:], 1):
            assert number <= ((last - first).total_seconds() + 0.11) / rate.interval + 1.001


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 5000), seconds=st.sampled_from([3600, 86400]), pauses=PAUSES)
def test_a_quota_holds_in_every_span(count: int, seconds: int, pauses: list[tuple[float, int]]):
    """In no hour or day, whenever it begins, is more granted than the quota."""
    rate, spent, now, out = Rate(count, seconds), Spent(), NOON, []
    for pause, wanted in pauses:
        now += timedelta(seconds=pause)
        granted, spent = grant(rate, spent, wanted, now=now)
        if granted.number:
            out.append((now, granted.number))
        else:
            assert now < granted.at <= now + timedelta(seconds=seconds * 1.05)
    for first, _ in out:
        within = sum(number for at, number in out if first <= at < first + timedelta(seconds=seconds))
        assert within <= count


def test_a_quota_may_be_spent_at_once_and_comes_back():
    """A quota is granted in parts until it is used up, and again once its span has gone by."""
    rate, spent, had = Rate.parse("300/day"), Spent(), 0
    while (granted := grant(rate, spent, 1000, now=NOON))[0].number:
        had += granted[0].number
        spent = granted[1]
    assert had == 300
    assert grant(rate, spent, 1, now=granted[0].at)[0].number == 1
    assert grant(rate, handed_back(rate, spent, 5), 9, now=NOON)[0].number == 3


def test_a_busy_sender_gets_the_whole_rate():
    """Who asks whenever they may gets the rate to within a percent."""
    rate, spent, now, had = Rate.parse("50/s"), Spent(), NOON, 0
    while now < NOON + timedelta(minutes=1):
        granted, spent = grant(rate, spent, 100, now=now)
        had += granted.number
        now += timedelta(seconds=0.05)
    assert abs(had - 50 * 62) <= 51  # a minute, and the two seconds that are granted ahead


def test_a_clock_that_is_put_back_stops_nothing():
    """After the clock jumped back an hour an even rate goes on at once."""
    rate = Rate.parse("10/s")
    _, spent = grant(rate, Spent(), 100, now=NOON)
    granted, _ = grant(rate, spent, 100, now=NOON - timedelta(hours=1))
    assert (granted.number, granted.at) == (10, NOON - timedelta(hours=1))
