"""
The business days: those on which offices in Ecuador work.

Weekends and holidays are none, nor are the days on which a holiday is observed (moved holidays and bridges).
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Final

_WEEKEND: Final = {5: "a Saturday", 6: "a Sunday"}


def day_off(day: date) -> str:
    """
    Why nobody works on a day; nothing if they do.

    >>> day_off(date(2022, 11, 26)), day_off(date(2022, 11, 30))
    ('a Saturday', '')
    """
    if day.weekday() in _WEEKEND:
        return _WEEKEND[day.weekday()]
    found = _holidays(day.year).get(day)
    return f"a holiday ({found})" if found else ""


def is_business_day(day: date) -> bool:
    """
    Whether offices work on a day.

    >>> is_business_day(date(2022, 11, 4))  # All Souls' Day, observed on the Friday
    False
    """
    return not day_off(day)


@cache
def _holidays(year: int) -> Mapping[date, str]:
    import holidays

    # The year after may observe its New Year's Day in this one.
    return holidays.country_holidays("EC", years=(year, year + 1))
