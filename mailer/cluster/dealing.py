"""
Deals a campaign out: the elected scheduler cuts what is due and not in anybody's hands into slices, and queues them.

What it does is worked out of the ledger and the queue each time it looks, so it may die at any moment, and two that
both take themselves for elected do no harm.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

from mailer import dispatch
from mailer.app import App
from mailer.campaigns.campaign import Campaign
from mailer.cluster.lanes import locks
from mailer.cluster.queue import Queue, Queued, Trouble, words
from mailer.deliveries.orders import Ending, Result
from mailer.errors import OperatorError
from mailer.log import get_logger
from mailer.storage.slices import SharedLedger, Slice

log = get_logger()

SLICE: Final = 500  # recipients
# A campaign of millions is dealt out bit by bit: the queue stays short, and another campaign gets its turn.
_ENOUGH: Final = 300
_AT_ONCE: Final = 600
# How long until it is looked again for what nobody has in hand, when there was nothing.
_PAUSE: Final = 5.0
_LAST: Final = 2**62


class Dealer:
    """Carries a campaign that is sending: `worker.Carrier` over the queue."""

    def __init__(self, app: App, *, size: int = SLICE) -> None:
        self._app = app
        self._queue: Queue | None = None
        self._size = size
        self._ledger = SharedLedger(app.database)
        self._sorted: set[int] = set()
        self._rests_until: dict[int, float] = {}  # by the clock that nobody sets

    async def carry(self, campaign: Campaign) -> None:
        """
        One look at a campaign: recover what the dead left, deal out what is due, finish it when nothing is open.

        Raises:
            OperatorError: The database is away.

        """
        now = self._app.clock.now()
        await asyncio.to_thread(self._ledger.recover, campaign.id, now=now)
        try:
            queue = await self._opened()
            await queue.put_back_lost()
            queued = await queue.queued(campaign.id)
            if queued.waiting >= _ENOUGH or self._app.clock.monotonic() < self._rests_until.get(campaign.id, 0.0):
                return
            if not await self._deal(campaign, queue, queued):
                self._rests_until[campaign.id] = self._app.clock.monotonic() + _PAUSE
                if not queued.slices:
                    await self._finish(campaign)
        except Trouble as problem:
            raise OperatorError(f"the queue can't be used: {words(problem)}; see `mailer doctor`") from problem

    async def close(self) -> None:
        """Give the queue back; slices are nothing of ours."""
        if self._queue is not None:
            await self._queue.close()

    async def _opened(self) -> Queue:
        if self._queue is None:
            self._queue = await Queue(self._app.database).open()
        return self._queue

    async def _deal(self, campaign: Campaign, queue: Queue, queued: Queued) -> int:
        """Cut and queue; gives how many slices."""
        pace = self._app.outgoing.pace
        if campaign.id not in self._sorted:
            if pace.domains:
                await asyncio.to_thread(self._ledger.sort, campaign.id, list(pace.domains))
            self._sorted.add(campaign.id)
        number = 0
        for lane in await asyncio.to_thread(self._ledger.lanes, campaign.id):
            spans = between([part for part in queued.slices if part.lane == lane])
            cut = partial(self._ledger.cut, campaign.id, lane, spans, size=self._size, most=_AT_ONCE)
            fresh = await asyncio.to_thread(cut, now=self._app.clock.now())
            await queue.put(fresh, locks=locks(lane, len(fresh), pace), is_urgent=campaign.recipients <= self._size)
            number += len(fresh)
        if number:
            log.info("slices dealt out", action="dealt", campaign=campaign.id, slices=number)
        return number

    async def _finish(self, campaign: Campaign) -> None:
        if await asyncio.to_thread(self._ledger.next_due, campaign.id) is not None:
            return  # cheaper than to count a million, while some wait for their next try
        account = await asyncio.to_thread(self._ledger.account, campaign.id)
        if not account.pending:
            await dispatch.conclude(self._app, campaign, Result(Ending.DONE, account))


def between(slices: Sequence[Slice]) -> list[tuple[int, int]]:
    """
    The spans that none of these slices covers.

    >>> between([Slice(1, first=500, last=999), Slice(1, first=1, last=499)])
    [(0, 0), (1000, 4611686018427387904)]
    """
    spans, free = [], 0
    for part in sorted(slices, key=lambda part: part.first):
        if part.first > free:
            spans.append((free, part.first - 1))
        free = max(free, part.last + 1)
    return [*spans, (free, _LAST)]
