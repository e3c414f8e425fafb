"""
Claims taken ahead of the channels, so that none of them waits for the database to name its next delivery.

Each lane is claimed from by itself and only as fast as it may go, so a slow domain never stands in the others' way.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from mailer.clock import Clock
from mailer.deliveries.delivery import Claimed
from mailer.deliveries.lane import PATIENCE, Lane
from mailer.deliveries.ledger import Ledger, Run
from mailer.deliveries.orders import Orders
from mailer.deliveries.pace import COMMON, Limits, Meter, Turnstile
from mailer.deliveries.rate import Grant, Rate
from mailer.deliveries.slowdown import Slowdown
from mailer.deliveries.writer import Writer


class Claims:
    """Hands claimed deliveries to the channels one by one, each when its time has come."""

    def __init__(self, ledger: Ledger, run: Run, writer: Writer, clock: Clock, orders: Orders) -> None:
        self._ledger = ledger
        self._run = run
        self._writer = writer
        self._clock = clock
        self._orders = orders
        self._overall = Turnstile("all", orders.pace.rates, clock)
        self._is_metered = bool(orders.pace.rates)
        self._lanes: dict[str, Lane] = {}
        self._slowdowns: dict[str, Slowdown] = {}
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._closed = False

    async def open(self) -> bool:
        """Begin a round: see which lanes there are. False if no more is wanted."""
        campaign = self._run.campaign_id
        if not self._lanes and self._orders.pace.domains:
            await self._writer.call(partial(self._ledger.sort, campaign, list(self._orders.pace.domains)))
        for name in await self._writer.call(partial(self._ledger.lanes, campaign)):
            if name not in self._lanes and self._orders.share(name):
                self._lanes[name] = self._lane(name)
        for lane in self._lanes.values():
            lane.is_dry = False
        return not self._closed

    def _lane(self, name: str) -> Lane:
        limits = self._orders.pace.domains.get(name)
        own = Limits(limits.rates if limits else (), self._orders.connections_of(name))
        lane = Lane(name, own, self._slowdown(name), self._clock)
        if limits is None and name != COMMON:
            lane.slowdown.adopted()
            lane.adapt()
        return lane

    def _slowdown(self, domain: str) -> Slowdown:
        if domain not in self._slowdowns:
            limits = self._orders.pace.domains.get(domain, Limits())
            even = [rate for rate in limits.rates if not rate.is_quota]
            self._slowdowns[domain] = Slowdown(max(even, key=lambda rate: rate.interval, default=None))
        return self._slowdowns[domain]

    @property
    def is_closed(self) -> bool:
        """Whether no more is wanted."""
        return self._closed

    async def next(self) -> Claimed | None:
        """The next delivery for a channel, when its time has come; None when there is none now or no more is wanted."""
        while not self._closed:
            if self._failure:
                raise self._failure
            self._replenish()
            lane, pause = self._choose()
            if lane is not None:
                return self._take(lane)
            if pause is None:
                return None
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), pause)
        return None

    def at_once(self) -> Claimed | None:
        """The next delivery if its time has come already; None does not mean that there is none."""
        if self._closed or self._failure:
            return None
        self._replenish()
        lane, _ = self._choose()
        return self._take(lane) if lane else None

    def _take(self, lane: Lane) -> Claimed:
        self._overall.take()
        lane.turnstile.take()
        lane.in_use += 1
        return lane.ready.popleft()

    def _choose(self) -> tuple[Lane | None, float | None]:
        """The lane whose turn it is; or how long to wait for one; or neither, when it isn't worth waiting."""
        overall = self._overall.wait()
        if overall is not None and overall > PATIENCE:
            return None, None
        pause: float | None = None
        for lane in self._lanes.values():
            if not lane.has_work or lane.is_spent:
                continue
            wait = lane.wait()
            if lane.ready and lane.is_free and wait == 0 and overall == 0:
                return lane, None
            # A claim, a grant or a landing wakes us up sooner.
            until = max(wait or 0.0, overall or 0.0) if lane.ready and lane.is_free else 0.0
            pause = min(pause or PATIENCE, until or PATIENCE)
        return None, pause

    def _replenish(self) -> None:
        """See that claims and leave are on their way before they run out."""
        has_work = False
        for lane in self._lanes.values():
            if not lane.has_work:
                continue
            has_work = True
            if not self._is_metered and not lane.turnstile.meters and len(lane.ready) > self._orders.batch // 2:
                continue  # as at nearly every message
            batch = min(lane.turnstile.batch(self._orders.batch), self._overall.batch(self._orders.batch))
            if not lane.is_dry and not lane.is_claiming and len(lane.ready) <= batch // 2 and not lane.is_spent:
                lane.is_claiming = True
                self._start(self._claim(lane, batch))
            self._ask_for(lane.turnstile, batch)
        if has_work:
            self._ask_for(self._overall, self._orders.batch)

    def _ask_for(self, turnstile: Turnstile, wanted: int) -> None:
        for meter in turnstile.meters:
            if meter.wants_more():
                meter.is_asking = True
                self._start(meter.ask(self._grant, wanted))

    async def _grant(self, scope: str, rate: Rate, wanted: int) -> Grant:
        return await self._writer.call(partial(self._ledger.grant, scope, rate, wanted, now=self._clock.now()))

    async def _claim(self, lane: Lane, batch: int) -> None:
        try:
            claim = partial(self._ledger.claim, self._run, batch, lane=lane.name, now=self._clock.now())
            claimed = await self._writer.call(claim)
            lane.ready.extend(claimed)
            lane.is_dry = not claimed
        finally:
            lane.is_claiming = False

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._failure = self._failure or task.exception()
        self._changed.set()

    def put_back(self, claimed: Claimed) -> None:
        """It was not tried, or the channel was lost before the hand-off: the next channel takes it."""
        self._lanes[claimed.lane].ready.appendleft(claimed)

    def landed(self, claimed: Claimed) -> None:
        """Its channel is free again."""
        self._lanes[claimed.lane].in_use -= 1
        self._changed.set()

    def took(self, claimed: Claimed) -> None:
        """The domain took a message: if it was slowed down, it may go faster by and by."""
        slowdown = self._slowdowns.get(claimed.domain)
        if slowdown and slowdown.took_one() and claimed.domain in self._lanes:
            self._lanes[claimed.domain].adapt()

    def complained(self, claimed: Claimed) -> None:
        """The domain complained of our pace; if it goes on, it gets a lane of its own."""
        if self._slowdown(claimed.domain).complained(self._clock.now()):
            if claimed.domain not in self._lanes:
                self._part(claimed.domain)
            self._lanes[claimed.domain].adapt()

    def _part(self, domain: str) -> None:
        """Take a domain out of the common lane."""
        lane = self._lanes[domain] = Lane(domain, Limits(), self._slowdown(domain), self._clock)
        common = self._lanes[COMMON]
        lane.ready = deque(msgspec.structs.replace(one, lane=domain) for one in common.ready if one.domain == domain)
        common.ready = deque(one for one in common.ready if one.domain != domain)
        self._start(self._writer.call(partial(self._ledger.sort, self._run.campaign_id, [domain])))

    async def next_at(self) -> datetime | None:
        """When something of our lanes may go out next; None if nothing of them is pending."""
        found = await self._writer.call(partial(self._ledger.lanes, self._run.campaign_id))
        now = self._clock.now()
        overall = timedelta(seconds=self._overall.wait() or 0.0)
        times = []
        for name, due_at in found.items():
            if self._orders.share(name):
                lane = self._lanes.get(name)
                wait = timedelta(seconds=(lane.wait() if lane else 0.0) or 0.0)
                times.append(max(due_at, now + max(wait, overall)) if max(wait, overall) else due_at)
        return min(times, default=None)

    def close(self) -> None:
        """Hand out no more."""
        self._closed = True
        self._changed.set()

    async def give_back(self) -> None:
        """Release what was claimed and not handed out, and the leave that was not used."""
        self.close()
        while self._tasks:
            await asyncio.wait(self._tasks)
        untried = [claimed.id for lane in self._lanes.values() for claimed in lane.ready]
        if untried:
            await self._writer.call(partial(self._ledger.release, self._run, untried))
        for lane in self._lanes.values():
            lane.ready.clear()
            await self._hand_back(lane.turnstile.meters)
        await self._hand_back(self._overall.meters)

    async def _hand_back(self, meters: list[Meter]) -> None:
        for meter in meters:
            if (left := meter.surrender()) and meter.rate.is_quota:
                back = partial(self._ledger.hand_back, meter.scope, meter.rate, left)
                await self._writer.call(back)
