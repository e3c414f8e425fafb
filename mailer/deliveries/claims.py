"""Claims taken ahead of the channels, so that none of them waits for the database to name its next delivery."""

import asyncio
from collections import deque
from functools import partial

from mailer.clock import Clock
from mailer.deliveries.delivery import Claimed
from mailer.deliveries.ledger import Ledger, Run
from mailer.deliveries.writer import Writer


class Claims:
    """Hands claimed deliveries to the channels one by one, and claims the next batch before they run out."""

    def __init__(self, ledger: Ledger, run: Run, writer: Writer, clock: Clock, *, batch: int) -> None:
        self._ledger = ledger
        self._run = run
        self._writer = writer
        self._clock = clock
        self._batch = batch
        self._ready: deque[Claimed] = deque()
        self._claiming: asyncio.Task[None] | None = None
        self._dry = False
        self._closed = False

    async def next(self) -> Claimed | None:
        """The next delivery for a channel; None when nothing is due or no more is wanted."""
        while not self._closed:
            if len(self._ready) <= self._batch // 2 and not self._dry and self._claiming is None:
                self._claiming = asyncio.create_task(self._claim())
            if self._ready:
                return self._ready.popleft()
            if self._claiming is None:
                return None
            await asyncio.shield(self._claiming)
        return None

    async def _claim(self) -> None:
        try:
            claim = partial(self._ledger.claim, self._run, self._batch, now=self._clock.now())
            claimed = await self._writer.call(claim)
            self._ready.extend(claimed)
            self._dry = not claimed
        finally:
            self._claiming = None

    def put_back(self, claimed: Claimed) -> None:
        """It was not tried, or the channel was lost before the hand-off: the next channel takes it."""
        self._ready.appendleft(claimed)

    def reopen(self) -> bool:
        """Begin another round, and say whether there may be something to do in it."""
        self._dry = False
        return not self._closed

    def close(self) -> None:
        """Hand out no more."""
        self._closed = True

    async def give_back(self) -> None:
        """Release what was claimed and not handed out."""
        self.close()
        if self._claiming is not None:
            await asyncio.shield(self._claiming)
        if self._ready:
            untried = [claimed.id for claimed in self._ready]
            self._ready.clear()
            await self._writer.call(partial(self._ledger.release, self._run, untried))
