"""Step 5: what follows from each hand-over, noted with the writer: settled, given back, or held against us."""

from collections.abc import Callable

import msgspec

from mailer.clock import Clock
from mailer.deliveries import outcome
from mailer.deliveries.delivery import Claimed, Settlement, State
from mailer.deliveries.failover import Diverted
from mailer.deliveries.orders import Progress
from mailer.deliveries.streak import Streak
from mailer.deliveries.transport import (
    ConnectionLost,
    Deferred,
    Receipt,
    RecipientRefused,
    Throttled,
    TransportDown,
    TransportError,
    Uncertain,
)
from mailer.deliveries.writer import Writer

Tell = Callable[[Progress], None]


class Verdicts:
    """
    Judges one run's hand-overs.

    `down` holds the other side's words once it is us that was refused; then `close` is called, and no more goes out.
    """

    def __init__(self, writer: Writer, clock: Clock, *, losses: int, tell: Tell, close: Callable[[], None]) -> None:
        self.down = ""
        self._close = close
        self._writer = writer
        self._clock = clock
        self._losses = losses
        self._tell = tell
        self._streak = Streak()
        self._lost: dict[int, int] = {}
        self._progress = Progress()

    def taken(self, claimed: Claimed, receipt: Receipt) -> None:
        """The other side has it."""
        self._streak.broken()
        self._settle(outcome.taken(claimed, receipt))

    def failed(self, claimed: Claimed, error: TransportError, *, is_handed: bool) -> bool:
        """
        Note a hand-over that failed. False when nothing was noted: the delivery is still claimed, and goes on untried.

        Once it was handed over and is certainly not taken, it is written back, for the ledger has it as handed.
        """
        now = self._clock.now()
        if isinstance(error, RecipientRefused):
            self._refuse(claimed, error)
        elif isinstance(error, Deferred):
            self._settle(outcome.put_off(claimed, error, now=now))
        elif isinstance(error, Uncertain):
            self._settle(outcome.unanswered(claimed, error))
        elif self._is_suspect(claimed, error):
            self._settle(outcome.put_off(claimed, error, now=now))
        elif is_handed:
            self._settle(outcome.given_back(claimed, error, now=now))
        else:
            return False
        return True

    def refused_us(self, words: str) -> None:
        """It is us: nobody is marked, and the campaign has to wait for a person."""
        self.down = self.down or words
        self._close()

    def waiting(self, why: str) -> None:
        """Tell what keeps the run from going on."""
        self._progress = msgspec.structs.replace(self._progress, waiting=why)
        self._tell(self._progress)

    def _refuse(self, claimed: Claimed, refusal: RecipientRefused) -> None:
        """Refuse for good; but when a run of refusals means us, give back everyone who was refused in it."""
        self._settle(outcome.refused(claimed, refusal))
        if self._streak.is_about_us(claimed, refusal):
            for delivery in self._streak.refused:
                self._settle(outcome.reprieved(delivery, refusal, now=self._clock.now()))
            self.refused_us(f"{refusal.reply} ({len(self._streak.refused)} recipients in a row)")
            self._streak.forgive()

    def _is_suspect(self, claimed: Claimed, error: TransportError) -> bool:
        """Whether this very message seems to break connections, as others pass."""
        if isinstance(error, (TransportDown, Diverted, Throttled)) or not self._progress.sent:
            return False
        self._lost[claimed.id] = self._lost.get(claimed.id, 0) + 1
        return isinstance(error, ConnectionLost) and self._lost[claimed.id] >= self._losses

    def _settle(self, settlement: Settlement) -> None:
        """Leave it to the writer. The next hand-off of this channel waits behind it, so outcomes never pile up."""
        self._writer.settle(settlement)
        is_closed = settlement.state is not State.PENDING
        if self._lost and (is_closed or settlement.deferred):
            self._lost.pop(settlement.id, None)
        is_sent = settlement.state is State.SENT
        self._progress = Progress(closed=self._progress.closed + is_closed, sent=self._progress.sent + is_sent)
        self._tell(self._progress)
