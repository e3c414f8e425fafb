"""When a schedule such as "last business day 09:00" comes round, month by month, in the publication's time zone."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from mailer.business_days import is_business_day
from mailer.errors import OperatorError

_LONGEST_MONTH: Final = 31
_ORDINALS: Final = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RULE: Final = re.compile(
    rf"(?:(?P<ordinal>{'|'.join(_ORDINALS)}) (?P<kind>business day|{'|'.join(_WEEKDAYS)})|day (?P<day>\d{{1,2}}))"
    r" (?P<hour>\d{1,2}):(?P<minute>\d{2})"
)


class Calendar(msgspec.Struct, frozen=True):
    """
    A monthly rule at a time of day: the n-th business day, the n-th of a weekday, or a day of the month.

    A day that a month is too short for is its last day. A time that a change of clocks skips is the instant after it;
    one that comes twice is the first of the two.
    """

    text: str
    zone: ZoneInfo
    at: time
    kind: str
    number: int

    @classmethod
    def parse(cls, text: str, timezone: str) -> "Calendar":
        """
        Read a rule: `last business day 09:00`, `first monday 08:30`, `day 15 10:00`.

        >>> Calendar.parse("last business day 09:00", "America/Guayaquil").in_month(2022, 11).isoformat()
        '2022-11-30T14:00:00+00:00'

        Raises:
            OperatorError: It is no such rule, or there is no such time zone.

        """
        try:
            zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise OperatorError(
                f"[publication] timezone {timezone!r} is no time zone; write one like America/Guayaquil"
            ) from None
        found = _RULE.fullmatch(" ".join(text.lower().split()))
        at = _time(found["hour"], found["minute"]) if found else None
        if found is None or at is None or not 1 <= int(found["day"] or 1) <= _LONGEST_MONTH:
            raise OperatorError(
                f'[schedule] monthly {text!r} can\'t be read; write it like "last business day 09:00", '
                f'"first monday 08:30" or "day 15 10:00"'
            )
        number = int(found["day"]) if found["day"] else _ORDINALS[found["ordinal"]]
        return cls(text=text, zone=zone, at=at, kind=found["kind"] or "day", number=number)

    def in_month(self, year: int, month: int) -> datetime:
        """The instant of one month, in UTC."""
        return datetime.combine(self._day(year, month), self.at, tzinfo=self.zone).astimezone(UTC)

    def after(self, instant: datetime) -> datetime:
        """The first instant that is later than `instant`."""
        local = instant.astimezone(self.zone)
        candidates = (self.in_month(*_shift(local, months)) for months in range(3))
        return next(candidate for candidate in candidates if candidate > instant)

    def latest(self, instant: datetime) -> datetime:
        """The last instant that is not later than `instant`."""
        local = instant.astimezone(self.zone)
        candidates = (self.in_month(*_shift(local, -months)) for months in range(3))
        return next(candidate for candidate in candidates if candidate <= instant)

    def month_of(self, instant: datetime) -> str:
        """The month that an instant falls in, as issues are named: `2022-11`."""
        return f"{instant.astimezone(self.zone):%Y-%m}"

    def _day(self, year: int, month: int) -> date:
        length = monthrange(year, month)[1]
        if self.kind == "day":
            return date(year, month, min(self.number, length))
        days = (date(year, month, number) for number in range(1, length + 1))
        if self.kind == "business day":
            return [day for day in days if is_business_day(day)][self.number]
        return [day for day in days if _WEEKDAYS[day.weekday()] == self.kind][self.number]


def _time(hour: str, minute: str) -> time | None:
    """That time of day; None if there is none such."""
    try:
        return time(int(hour), int(minute))
    except ValueError:
        return None


def _shift(day: datetime, months: int) -> tuple[int, int]:
    years, month = divmod(day.month - 1 + months, 12)
    return day.year + years, month + 1


_SPAN: Final = re.compile(r"(\d+)\s*([smhd])")


def parse_span(text: str) -> timedelta:
    """
    A span such as `6h`, `90m` or `1d`.

    >>> parse_span("6h")
    datetime.timedelta(seconds=21600)

    Raises:
        OperatorError: It is none.

    """
    found = _SPAN.fullmatch(text.strip().lower())
    if not found:
        raise OperatorError(f"{text!r} is no span of time; write a number and s, m, h or d, like 6h")
    unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[found[2]]
    return timedelta(**{unit: int(found[1])})


def parse_when(text: str, timezone: str) -> datetime:
    """
    An instant as a person writes it: `2022-11-30 09:00`, in the given time zone unless it names an offset.

    >>> parse_when("2022-11-30 09:00", "America/Guayaquil").isoformat()
    '2022-11-30T14:00:00+00:00'

    Raises:
        OperatorError: It can't be read.

    """
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        raise OperatorError(f"{text!r} is no date and time; write it like 2022-11-30 09:00") from None
    return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
