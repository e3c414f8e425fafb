"""A clock that goes only when it is told to."""

from datetime import UTC, datetime, timedelta


class FrozenClock:
    """
    Stands at an instant; `advance` and `set` move it.

    >>> clock = FrozenClock(datetime(2022, 11, 30, 14, tzinfo=UTC))
    >>> clock.advance(hours=1)
    >>> clock.now().hour
    15
    """

    def __init__(self, at: datetime = datetime(2022, 11, 30, 14, tzinfo=UTC)) -> None:
        self._now = at.astimezone(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        """The instant it stands at."""
        return self._now

    def monotonic(self) -> float:
        """Seconds it was advanced by; `set` leaves it alone, as a change of the wall clock does."""
        return self._monotonic

    def advance(self, **span: float) -> None:
        """Let time pass: `advance(minutes=5)`."""
        passed = timedelta(**span)
        self._now += passed
        self._monotonic += passed.total_seconds()

    def set(self, at: datetime) -> None:
        """Put the wall clock right, or wrong: it may jump both ways."""
        self._now = at.astimezone(UTC)
