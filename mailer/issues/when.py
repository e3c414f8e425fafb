"""When something takes place: `date=2026-12-04`, `date=2026-12-04/2026-12-06`, `time="09:00-12:30"`."""

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Final

from mailer.issues.issue import When
from mailer.issues.source import Source

_BETWEEN: Final = re.compile(r"\s*[/–]\s*")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d")
_HOURS: Final = re.compile(r"\s*[-–/]\s*")
_HOUR: Final = re.compile(r"([01]?\d|2[0-3])[:.h]([0-5]\d)")


def read_when(given: Mapping[str, str], source: Source, line: int) -> When | None:
    """
    The day and hour that an attribute line names; none if it names no day.

    >>> read_when({"date": "2026-12-04", "time": "9:00-12:30"}, Source("", "issue.md"), 1).ends
    datetime.time(12, 30)

    Raises:
        AuthorError: It is no date or no time of day, ends before it begins, or names an hour without a day.

    """
    if "date" not in given:
        if "time" in given:
            raise source.wrong(line, "the time needs its day; write date=2026-12-04 beside it")
        return None
    days = [_day(text, given["date"], source, line) for text in _BETWEEN.split(given["date"])]
    hours = [_hour(text, source, line) for text in _HOURS.split(given.get("time", "")) if text]
    if len(days) > 2 or len(hours) > 2:  # noqa: PLR2004 - from and to
        raise source.wrong(line, 'a span has two ends; write date="2026-12-04/2026-12-06" or time="09:00-12:30"')
    if days[-1] < days[0] or (len(days) == 1 and sorted(hours) != hours):
        raise source.wrong(line, "the end stands before the beginning; turn the two round")
    begins, ends = [*hours, None, None][:2]
    return When(first=days[0], last=days[-1], begins=begins, ends=ends)


def _day(text: str, given: str, source: Source, line: int) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        if _ISO.fullmatch(text.strip()):
            raise source.wrong(line, f"there is no day {text.strip()}; look it up in the calendar") from None
        raise source.wrong(
            line, f'the date "{given}" is none; write year, month and day as in date=2026-12-04'
        ) from None


def _hour(text: str, source: Source, line: int) -> time:
    found = _HOUR.fullmatch(text.strip())
    if not found:
        raise source.wrong(line, f'the time "{text}" is none; write it as in time=09:00 or time="09:00-12:30"')
    return time(int(found[1]), int(found[2]))
