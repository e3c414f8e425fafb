"""When to try again after a 4xx: never within five minutes, ever more slowly, and not beyond four days."""

from datetime import datetime, timedelta
from typing import Final

# RFC 5321 4.5.4.1: 4–5 days until giving up. Greylisting usually opens after 5 minutes.
FIRST: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(hours=4)
GIVE_UP_AFTER: Final = timedelta(days=4)


def delay(attempts: int) -> timedelta:
    """
    How long to wait after the attempt of that number.

    >>> [str(delay(number)) for number in (1, 2, 3, 20)]
    ['0:05:00', '0:10:00', '0:20:00', '4:00:00']
    """
    doublings: int = min(max(attempts, 1) - 1, 16)
    return min(LONGEST, FIRST * (1 << doublings))


def next_try(attempts: int, *, deferred_since: datetime | None, now: datetime, asked: float = 0.0) -> datetime | None:
    """
    When to try next; None when four days have passed since the first deferral.

    `asked` is the wait in seconds that the other side asked for (Retry-After); it can only lengthen ours.
    """
    since = deferred_since or now
    if now - since >= GIVE_UP_AFTER:
        return None
    wished = max(delay(attempts), timedelta(seconds=min(asked, GIVE_UP_AFTER.total_seconds())))
    # One last try at the very end rather than none after it.
    return min(now + wished, max(since + GIVE_UP_AFTER, now + FIRST))
