"""One queue of a campaign: the common one, or that of a domain that has limits of its own."""

from collections import deque

from mailer.clock import Clock
from mailer.deliveries.delivery import Claimed
from mailer.deliveries.pace import Limits, Meter, Turnstile
from mailer.deliveries.slowdown import Slowdown

# Who has to wait longer than this gives its turn up: the run ends, and another goes on when it is time.
PATIENCE = 90.0


class Lane:
    """What was claimed of one queue, and what keeps it back."""

    def __init__(self, name: str, limits: Limits, slowdown: Slowdown, clock: Clock) -> None:
        self.name = name
        self.ready: deque[Claimed] = deque()
        self.in_use = 0
        self.is_dry = False
        self.is_claiming = False
        self.turnstile = Turnstile(f"domain {name}", limits.rates, clock)
        self._usual = list(self.turnstile.meters)
        self._connections = limits.connections
        self._clock = clock
        self.slowdown = slowdown

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

    def adapt(self) -> None:
        """Keep the pace that the domain's slow-down asks for now."""
        rate = self.slowdown.rate
        slow = [] if rate is None else [Meter(f"slow {self.name}", rate, self._clock)]
        self.turnstile.meters = [*self._usual, *slow]
