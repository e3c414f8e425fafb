"""The calendar: which instant a monthly rule means."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.business_days import is_business_day
from mailer.campaigns.calendar import Calendar, parse_span, parse_when
from mailer.errors import OperatorError

QUITO = "America/Guayaquil"
RULES = (
    "last business day 09:00",
    "first business day 00:00",
    "first monday 08:30",
    "last friday 23:59",
    "day 31 10:00",
)
ZONES = (QUITO, "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Pacific/Galapagos")


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [
        (2022, 11, 30),
        (2022, 12, 30),  # the 31st is a Saturday
        (2026, 5, 29),
        (2024, 2, 29),  # a leap day
        (2026, 2, 27),
        (2026, 10, 30),
    ],
)
def test_the_last_business_day(year: int, month: int, day: int):
    """The last business day is the last day on which Ecuador's offices work, at 09:00 of Quito."""
    found = Calendar.parse("last business day 09:00", QUITO).in_month(year, month)
    assert found == datetime(year, month, day, 14, tzinfo=UTC)


def test_observed_holidays_are_no_business_days():
    """A holiday that is moved takes the day it is moved to; the new year's eve may be one of them."""
    assert not is_business_day(date(2022, 5, 2))
    assert not is_business_day(date(2022, 11, 4))
    assert is_business_day(date(2022, 11, 7))


def test_the_first_business_day_of_november_passes_the_holidays():
    """2022-11-01 is a Tuesday and a working day; in 2026 the 2nd and 3rd are holidays."""
    first = Calendar.parse("first business day 08:00", QUITO)
    assert first.in_month(2022, 11).date() == date(2022, 11, 1)
    assert first.in_month(2026, 11).date() == date(2026, 11, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("first monday 08:30", date(2026, 6, 1)),
        ("last friday 08:30", date(2026, 6, 26)),
        ("day 15 08:30", date(2026, 6, 15)),
    ],
)
def test_weekdays_and_days_of_the_month(text: str, expected: date):
    """Other rules than the office's can be written too."""
    assert Calendar.parse(text, QUITO).in_month(2026, 6).astimezone(ZoneInfo(QUITO)).date() == expected


def test_a_day_that_the_month_lacks_is_its_last():
    """Day 31 of February is its last day."""
    assert Calendar.parse("day 31 09:00", QUITO).in_month(2026, 2) == datetime(2026, 2, 28, 14, tzinfo=UTC)


def test_a_time_that_the_clocks_skip_is_the_instant_after():
    """02:30 on the Sunday on which Madrid's clocks go forward is 03:30."""
    found = Calendar.parse("last sunday 02:30", "Europe/Madrid").in_month(2026, 3)
    assert found == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_time_that_comes_twice_is_the_first():
    """02:30 on the Sunday on which Madrid's clocks go back is the summer's."""
    found = Calendar.parse("last sunday 02:30", "Europe/Madrid").in_month(2026, 10)
    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(RULES),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2000, 1, 1), datetime(2049, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_after_and_latest_meet(rule: str, zone: str, instant: datetime):
    """Around any instant: the next is later, the latest is not, nothing lies between, and each is once a month."""
    calendar = Calendar.parse(rule, zone)
    following, latest = calendar.after(instant), calendar.latest(instant)
    assert latest <= instant < following
    assert calendar.after(latest) == following
    assert calendar.latest(following) == following
    assert timedelta(days=20) < following - latest < timedelta(days=45)
    months = [int(calendar.month_of(each)[5:]) for each in (latest, following)]
    assert months[1] == months[0] % 12 + 1


@pytest.mark.parametrize(
    "text", ["", "last day", "day 32 09:00", "day 0 09:00", "last business day 25:00", "fifth monday 9:00"]
)
def test_what_is_no_rule_is_refused(text: str):
    """A rule that can't be read is refused with examples."""
    with pytest.raises(OperatorError, match="last business day 09:00"):
        Calendar.parse(text, QUITO)


def test_no_time_zone_is_refused():
    """A time zone that doesn't exist is named."""
    with pytest.raises(OperatorError, match="Quito/Centro"):
        Calendar.parse("day 1 09:00", "Quito/Centro")


def test_spans_and_instants():
    """Spans and instants are read as people write them, or refused with an example."""
    assert parse_span("90m") == timedelta(minutes=90)
    assert parse_when("2022-11-30T09:00:00-03:00", QUITO) == datetime(2022, 11, 30, 12, tzinfo=UTC)
    with pytest.raises(OperatorError, match="6h"):
        parse_span("six hours")
    with pytest.raises(OperatorError, match="2022-11-30 09:00"):
        parse_when("mañana", QUITO)
