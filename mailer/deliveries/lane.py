"""One queue of a campaign: the common one, or that of a domain that has limits of its own."""

from collections import deque
from datetime import datetime

from mailer.clock import Clock
from mailer.deliveries.delivery import Claimed
from mailer.deliveries.pace import COMMON, Limits, Meter, Turnstile
from mailer.deliveries.slowdown import Slowdown

# Who has to wait longer than this gives its turn up: the run ends, and another goes on when it is time.
PATIENCE = 90.0


class Lane:
    """What was claimed of one queue, and what keeps it back."""

    def __init__(self, name: str, limits: Limits, clock: Clock) -> None:
        self.name = name
        self.ready: deque[Claimed] = deque()
        self.in_use = 0
        self.is_dry = False
        self.is_claiming = False
        self.turnstile = Turnstile(f"domain {name}", limits.rates, clock)
        self._usual = list(self.turnstile.meters)
        self._connections = limits.connections
        self._clock = clock
        slowest = max(
            (rate for rate in limits.rates if not rate.is_quota), key=lambda rate: rate.interval, default=None
        )
        self.slowdown = Slowdown(slowest)

    @property
    def is_free(self) -> bool:
        """Whether one more connection may work for it."""
        limit = 1 if self.slowdown.rate else self._connections
        return limit is None or self.in_use < limit

    @property
    def has_work(self) -> bool:
        """Whether something is claimed, or there may be something to claim."""
        return bool(self.ready) or not self.is_dry

    def wait(self) -> float | None:
        """In how many seconds its next one may go out (see `Turnstile.wait`)."""
        return self.turnstile.wait()

    @property
    def is_spent(self) -> bool:
        """Whether its turn is too far off to wait for."""
        return (self.wait() or 0.0) > PATIENCE

    def complained(self, now: datetime) -> None:
        """The domain complained of our pace."""
        if self.slowdown.complained(now):
            self._adapt()

    def adopted(self) -> None:
        """Another sender made this lane, because its domain complained."""
        self.slowdown.adopted()
        self._adapt()

    def took_one(self) -> None:
        """A message was taken."""
        if self.name != COMMON and self.slowdown.took_one():
            self._adapt()

    def _adapt(self) -> None:
        rate = self.slowdown.rate
        slow = [] if rate is None else [Meter(f"slow {self.name}", rate, self._clock)]
        self.turnstile.meters = [*self._usual, *slow]
