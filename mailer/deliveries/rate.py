"""
How fast: rates, and the arithmetic of what may go out when.

Rates per second and minute are kept *evenly*: a message, a pause, a message. Rates per hour and day are *quotas*: they
may be spent at once, and in no hour or day, whenever it begins, is there more. Both are plain functions over values, so
that what they remember can be kept in a book that all senders share, and that outlives each of them.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

_UNITS: Final = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "day": 86400}
_RATE: Final = re.compile(rf"\s*(\d{{1,12}})\s*/\s*({'|'.join(_UNITS)})\s*", re.IGNORECASE)
_HOUR: Final = 3600

# Evenly kept rates are granted in blocks of a second, and not further ahead than this.
_BLOCK: Final = 1.0
_AHEAD: Final = 2.0
# How much of a pause may be made up for.
_CATCH_UP: Final = 0.1
# A quota is counted in so many slots of its span, and granted by the hundredth part.
_SLOTS: Final = 48
_PARTS: Final = 100


class Rate(msgspec.Struct, frozen=True):
    """
    So many messages in so many seconds.

    >>> Rate.parse("600/min").interval
    0.1
    """

    count: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """
        Read a rate: `50/s`, `600/min`, `2000/h`, `10000/day`.

        Raises:
            ValueError: It is no such rate.

        """
        found = _RATE.fullmatch(text)
        if not found or not int(found[1]):
            raise ValueError(f'"{text}" is no rate; write one like "14/s", "600/min", "2000/h" or "10000/day"')
        return cls(int(found[1]), _UNITS[found[2].lower()])

    @property
    def interval(self) -> float:
        """The seconds between two messages."""
        return self.seconds / self.count

    @property
    def is_quota(self) -> bool:
        """Whether it may be spent at once."""
        return self.seconds >= _HOUR

    def __str__(self) -> str:
        unit = next((name for name, seconds in _UNITS.items() if seconds == self.seconds), f"{self.seconds} s")
        return f"{self.count}/{unit}"


class Grant(msgspec.Struct, frozen=True):
    """Leave for `number` messages: the first at `at`, each next one `interval` seconds later. 0: ask again at `at`."""

    number: int
    at: datetime
    interval: float = 0.0


class Spent(msgspec.Struct, frozen=True):
    """What was granted of one rate: until when, if it is kept evenly; of a quota, how many in which slot of time."""

    until: datetime | None = None
    slots: dict[int, int] = {}


def grant(rate: Rate, spent: Spent, wanted: int, *, now: datetime) -> tuple[Grant, Spent]:
    """
    What may be had of a rate now, and what is spent of it then.

    >>> noon = datetime(2022, 11, 30, 12, tzinfo=UTC)
    >>> first, spent = grant(Rate.parse("2/s"), Spent(), 100, now=noon)
    >>> first.number, first.interval, (spent.until - noon).total_seconds()
    (2, 0.5, 1.0)
    """
    return _of_quota(rate, spent, wanted, now) if rate.is_quota else _evenly(rate, spent, wanted, now)


def handed_back(rate: Rate, spent: Spent, number: int) -> Spent:
    """What is spent once `number` messages that were granted did not go out. An even rate has lost their time."""
    slots = dict(spent.slots)
    for slot in sorted(slots, reverse=True) if rate.is_quota else ():
        back = min(number, slots[slot])
        slots[slot] -= back
        number -= back
    return Spent(spent.until, slots)


def _evenly(rate: Rate, spent: Spent, wanted: int, now: datetime) -> tuple[Grant, Spent]:
    start = max(spent.until or now, now - timedelta(seconds=_CATCH_UP))
    ahead = (start - now).total_seconds()
    if ahead > _AHEAD + _BLOCK + 2 * rate.interval:
        start, ahead = now, 0.0  # the clock was put back
    if ahead > _AHEAD:
        return Grant(0, start - timedelta(seconds=_AHEAD)), spent
    number = min(wanted, max(1, int(_BLOCK / rate.interval)))
    return Grant(number, start, rate.interval), Spent(start + timedelta(seconds=number * rate.interval))


def _of_quota(rate: Rate, spent: Spent, wanted: int, now: datetime) -> tuple[Grant, Spent]:
    length = rate.seconds / _SLOTS
    current = int(now.timestamp() // length)
    # A slot counts as long as any message of it may lie within the span.
    slots = {slot: number for slot, number in spent.slots.items() if slot >= current - _SLOTS and number}
    free = rate.count - sum(slots.values())
    if free <= 0:
        return Grant(0, datetime.fromtimestamp((min(slots) + _SLOTS + 1) * length, UTC)), Spent(None, slots)
    number = min(wanted, free, max(1, rate.count // _PARTS))
    slots[current] = slots.get(current, 0) + number
    return Grant(number, now), Spent(None, slots)
