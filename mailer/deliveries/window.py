"""The hours in which a campaign may send, in the publication's time zone."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = "|".join(_DAYS)
_SPAN: Final = re.compile(
    rf"(?:(?P<first>{_DAY}|daily)(?:\s*-\s*(?P<last>{_DAY}))?\s+)?(?P<from>\d{{1,2}}:\d{{2}})\s*-\s*(?P<to>\d{{1,2}}:\d{{2}})"
)
_MIDNIGHT: Final = time(0)


class Span(msgspec.Struct, frozen=True):
    """Hours on some days of the week (0 is Monday); one that ends before it begins goes on into the next day."""

    days: frozenset[int]
    begins: time
    ends: time


class Window(msgspec.Struct, frozen=True):
    """When a campaign may send; it is closed at all other times."""

    spans: tuple[Span, ...]
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, zone: ZoneInfo) -> "Window":
        """
        Read hours: `mon-fri 08:00-18:00`, `daily 07:00-12:30`; several are separated by commas.

        >>> window = Window.parse("mon-fri 08:00-18:00", ZoneInfo("America/Guayaquil"))
        >>> window.opens(datetime(2022, 11, 26, 12, tzinfo=UTC)).isoformat()
        '2022-11-28T13:00:00+00:00'

        Raises:
            ValueError: It is no such text.

        """
        return cls(tuple(_span(part.strip().lower(), text) for part in text.split(",")), zone)

    def is_open(self, at: datetime) -> bool:
        """Whether a message may go out at this instant."""
        return any(begin <= at < end for begin, end in self._around(at))

    def opens(self, after: datetime) -> datetime:
        """The next instant at which a message may go out: `after` itself, if it is open then."""
        if self.is_open(after):
            return after
        return min(begin for begin, _ in self._around(after) if begin > after)

    def _around(self, at: datetime) -> list[tuple[datetime, datetime]]:
        """The spans as instants, from the day before to the same weekday of the next week."""
        today = at.astimezone(self.zone).date()
        found = []
        for day in (today + timedelta(days=number) for number in range(-1, 9)):
            for span in self.spans:
                if day.weekday() in span.days:
                    last = day if span.ends > span.begins else day + timedelta(days=1)
                    begin, end = (
                        datetime.combine(day, span.begins, self.zone),
                        datetime.combine(last, span.ends, self.zone),
                    )
                    found.append((begin.astimezone(UTC), end.astimezone(UTC)))
        return found


def _span(part: str, text: str) -> Span:
    found = _SPAN.fullmatch(part)
    try:
        if not found or (found["first"] == "daily" and found["last"]):
            raise ValueError(part)
        begins, ends = _time(found["from"]), _time(found["to"])
    except ValueError:
        raise ValueError(
            f'"{text}" are no hours; write them like "mon-fri 08:00-18:00" or "daily 07:00-12:30"'
        ) from None
    return Span(_days(found["first"] or "daily", found["last"]), begins, ends)


def _days(first: str, last: str | None) -> frozenset[int]:
    if first == "daily":
        return frozenset(range(7))
    begin = _DAYS.index(first)
    return frozenset((begin + step) % 7 for step in range((_DAYS.index(last or first) - begin) % 7 + 1))


def _time(text: str) -> time:
    # 24:00 is how people write the end of a day.
    return _MIDNIGHT if text == "24:00" else time.fromisoformat(text.zfill(5))
