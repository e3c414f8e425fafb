"""
A domain that complains of our pace (421, or 4.7.x: RFC 3463 3.8) is written to more slowly, and by and by faster again.

One complaint may be chance; from the second on the pace is halved each time, and doubled after each good run, much as
TCP does it.
"""

import re
from datetime import datetime, timedelta
from typing import Final

from mailer.deliveries.rate import Rate
from mailer.deliveries.transport import Deferred, TransportError

FIRST: Final = Rate(60, 60)
SLOWEST: Final = Rate(1, 60)
# Whoever takes this many a minute is not slow any more.
FREE: Final = 1200
GOOD_RUN: Final = 10
# Complaints come in bunches, from all that was in flight: one bunch is one complaint.
_BUNCH: Final = timedelta(seconds=5)
_CHANCE: Final = 2

_CLOSING = 421
_GREYLISTED = re.compile(r"gr[ea]y[ -]?list", re.IGNORECASE)


def is_complaint(error: TransportError) -> bool:
    """
    Whether a deferral is about our pace. Greylisting says 4.7.1 too, but is about the one message.

    >>> is_complaint(Deferred("421 4.7.0 too many messages", code=421, status="4.7.0"))
    True
    """
    if not isinstance(error, Deferred) or _GREYLISTED.search(error.reply):
        return False
    return error.code == _CLOSING or error.status.startswith("4.7.")


class Slowdown:
    """The pace of one domain; `rate` is None when there is nothing to keep it back."""

    def __init__(self, usual: Rate | None = None) -> None:
        self._usual = usual
        self._a_minute = 0.0
        self._complained_at: datetime | None = None
        self._complaints = 0
        self._good = 0

    @property
    def rate(self) -> Rate | None:
        """The pace to keep now, if it is slower than usual."""
        return Rate(max(1, round(self._a_minute)), 60) if self._a_minute else None

    def complained(self, now: datetime) -> bool:
        """Slow down; whether that changed anything."""
        if self._complained_at is not None and abs(now - self._complained_at) < _BUNCH:
            return False
        self._complained_at = now
        self._complaints += 1
        self._good = 0
        if self._complaints < _CHANCE:
            return False
        before = self._a_minute or (60 / self._usual.interval if self._usual else 2 * FIRST.count)
        self._a_minute = max(float(SLOWEST.count), before / 2)
        return True

    def adopted(self) -> None:
        """Another sender met the complaint: begin as slowly as if it had been us."""
        self._a_minute = float(FIRST.count)

    def took_one(self) -> bool:
        """Count a message that was taken; whether the pace changed by it."""
        self._good += 1
        if self._good < GOOD_RUN:
            return False
        self._good = 0
        if not self._a_minute:
            self._complaints = 0
            return False
        self._a_minute *= 2
        if self._a_minute >= (60 / self._usual.interval if self._usual else FREE):
            self._a_minute = 0.0
        return True
