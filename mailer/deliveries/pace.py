"""What limits the pace of a campaign, and the leave to send that one process holds."""

from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from mailer.clock import Clock
from mailer.deliveries.rate import Grant, Rate

COMMON: Final = ""
"""The lane of all domains that have no limits of their own."""


class Limits(msgspec.Struct, frozen=True):
    """The limits of one lane; no `connections` means as many as there are."""

    rates: tuple[Rate, ...] = ()
    connections: int | None = None


class Pace(msgspec.Struct, frozen=True):
    """The limits of all that is sent, and those of single domains (in their ASCII form)."""

    rates: tuple[Rate, ...] = ()
    domains: dict[str, Limits] = {}


# How many seconds of work are claimed ahead under a limit.
_CLAIMED_AHEAD: Final = 5.0

Ask = Callable[[str, Rate, int], Awaitable[Grant]]
"""Asks the book that all senders share for leave: of which limit, its rate, and for how many."""


class Meter:
    """
    Leave to send under one limit, as this process holds it.

    It is asked for in blocks, the next one before the last is used up, so that nobody waits for the book.
    """

    def __init__(self, scope: str, rate: Rate, clock: Clock) -> None:
        self.scope = scope
        self.rate = rate
        self.is_asking = False
        self._clock = clock
        self._grants: deque[Grant] = deque()
        self._ask_at: datetime | None = None

    @property
    def held(self) -> int:
        """For how many there is leave."""
        return sum(grant.number for grant in self._grants)

    def wait(self) -> float | None:
        """In how many seconds the next one may go out (0: now); None while leave has to be asked for first."""
        if self._grants:
            return max(0.0, (self._grants[0].at - self._clock.now()).total_seconds())
        if self._ask_at is None:
            return None
        return max(0.0, (self._ask_at - self._clock.now()).total_seconds()) or None

    def take(self) -> None:
        """One goes out."""
        grant = self._grants.popleft()
        if grant.number > 1:
            step = timedelta(seconds=grant.interval)
            self._grants.appendleft(Grant(grant.number - 1, grant.at + step, grant.interval))

    def wants_more(self) -> bool:
        """Whether leave should be asked for now."""
        if self.is_asking or (self._ask_at is not None and self._ask_at > self._clock.now()):
            return False
        return self.held <= (0 if self.rate.is_quota else 0.5 / self.rate.interval)

    async def ask(self, ask: Ask, wanted: int) -> None:
        """Ask for leave for up to `wanted`."""
        self.is_asking = True
        try:
            grant = await ask(self.scope, self.rate, wanted)
        finally:
            self.is_asking = False
        self._ask_at = None if grant.number else grant.at
        if grant.number:
            self._grants.append(grant)

    def surrender(self) -> int:
        """Give up what is left; gives how many."""
        left = self.held
        self._grants.clear()
        return left


class Turnstile:
    """Several limits in a row: what goes out needs leave under each of them."""

    def __init__(self, scope: str, rates: tuple[Rate, ...], clock: Clock) -> None:
        self.meters = [Meter(scope, rate, clock) for rate in rates]

    def wait(self) -> float | None:
        """In how many seconds the next one may go out (0: now); None while leave has to be asked for first."""
        longest = 0.0
        for meter in self.meters:
            wait = meter.wait()
            if wait is None:
                return None
            longest = max(longest, wait)
        return longest

    def take(self) -> None:
        """One goes out."""
        for meter in self.meters:
            meter.take()

    def batch(self, usual: int) -> int:
        """How many deliveries to claim ahead: what goes out in a few seconds; who leaves meanwhile still gets it."""
        if not self.meters:
            return usual
        return max(1, min([usual, *(int(_CLAIMED_AHEAD / meter.rate.interval) for meter in self.meters)]))
