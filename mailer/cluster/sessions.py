"""
What one process sends: a session for each lane of a campaign, and the slices that it has in hand for it.

A session is a run of `deliveries.send` as anywhere else. It keeps its connections, its leave and its one writer while
slices come and go; it ends when it has nothing in hand, and the next slice begins another.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import msgspec

from mailer import dispatch
from mailer.app import App
from mailer.campaigns.campaign import Campaign, State
from mailer.cluster.lanes import limits_of
from mailer.deliveries.orders import Ending, Orders, Progress, Result
from mailer.deliveries.pace import COMMON
from mailer.errors import OperatorError
from mailer.log import get_logger
from mailer.storage.slices import HeldLedger, Slice

log = get_logger()

# Shorter than that of a sender by itself: others are there to take over.
LEASE: Final = timedelta(seconds=30)
# When to look again at a slice of which others have something in hand.
_OTHERS: Final = timedelta(seconds=5)
_FIRST_LOOK, _LONGEST_LOOK = 0.05, 5.0


class Session:
    """A lane of a campaign at work in this process."""

    def __init__(self, app: App, campaign: Campaign, orders: Orders, stop: asyncio.Event) -> None:
        self.ledger = HeldLedger(app.database, sorted_out=app.outgoing.pace.domains)
        self.sent = 0
        self._app = app
        self._campaign = campaign
        self._orders = orders
        self._stop = stop
        self._task: asyncio.Task[Result] | None = None

    @property
    def is_over(self) -> bool:
        """Whether it takes no more slices."""
        return self._task is not None and self._task.done()

    @property
    def result(self) -> Result:
        """How it ended; raises what ended it."""
        assert self._task is not None
        return self._task.result()

    async def hold(self, part: Slice) -> None:
        """Hold a slice until nothing more can be done of it for now, or the session is over."""
        idle, loop = asyncio.Event(), asyncio.get_running_loop()
        self.ledger.take(part, lambda: _call(loop, idle.set))
        # Begun with the first slice in hand: a session that finds nothing ends at once.
        self._task = self._task or asyncio.create_task(self._carry_out())
        waiting = asyncio.create_task(idle.wait())
        try:
            await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            self.ledger.let_go(part)

    async def _carry_out(self) -> Result:
        result = await self._app.send(
            self._campaign, stop=self._stop, progress=self._tell, orders=self._orders, ledger=self.ledger
        )
        await dispatch.conclude(self._app, self._campaign, result)
        return result

    def _tell(self, progress: Progress) -> None:
        self.sent = progress.sent


class Sessions:
    """All campaigns at work in this process, number `number` of `processes` on this machine."""

    def __init__(self, app: App, stop: asyncio.Event, *, number: int = 0, processes: int = 1) -> None:
        self._app = app
        self._stop = stop
        self._connections = max(1, app.outgoing.orders(number=number, processes=processes).own_connections)
        self._open: dict[tuple[int, str], Session] = {}
        self._sent_before = 0
        self.slices = 0
        self.refusal: OperatorError | None = None

    @property
    def sent(self) -> int:
        """How many messages this process has sent."""
        return self._sent_before + sum(session.sent for session in self._open.values())

    async def carry_out(self, part: Slice) -> datetime | None:
        """Send what is due of a slice. Gives when to come back to it; None when there is nothing to come back for."""
        self.slices += 1
        try:
            return await self._carry_out(part)
        finally:
            self.slices -= 1

    async def _carry_out(self, part: Slice) -> datetime | None:
        pause = _FIRST_LOOK
        while (session := await self._session(part)) is not None:
            if self._stop.is_set():  # as it is, too, once we may not go on
                return self._app.clock.now()
            await session.hold(part)
            if session.is_over and (ending := session.result).ending is Ending.DOWN:
                return None
            if session.is_over and ending.ending in {Ending.PACED, Ending.OUT_OF_HOURS} and ending.next_at:
                return ending.next_at
            now = self._app.clock.now()
            left = await asyncio.to_thread(session.ledger.left, part)
            if left.due_at is None or left.due_at > now:  # what is due later is cut and dealt out again then
                return now + _OTHERS if left.in_hand else None
            await asyncio.sleep(pause)
            pause = min(_LONGEST_LOOK, 2 * pause)
        return None

    async def _session(self, part: Slice) -> Session | None:
        """The session that a slice belongs to; none if its campaign isn't to be sent now."""
        key = part.campaign, part.lane
        if (session := self._open.get(key)) is not None and not session.is_over:
            return session
        campaign = await asyncio.to_thread(self._app.agenda.get, part.campaign)
        if (session := self._open.get(key)) is not None:
            if not session.is_over:  # another slice was faster
                return session
            self._sent_before += self._open.pop(key).sent
        if campaign.state is not State.SENDING:
            return None
        if campaign.signed_with and not self._app.signer.knows(campaign.signed_with):
            # Nobody could leave by the links that it would write; and it would keep the slices from the others.
            self.refusal = OperatorError(
                f"campaign {campaign.id} was begun with a secret that this machine doesn't have; set MAILER_SECRET "
                f"here as it is where `mailer serve` runs"
            )
            self._stop.set()
        self._open[key] = Session(self._app, campaign, self._orders(part.lane), self._stop)
        return self._open[key]

    def _orders(self, lane: str) -> Orders:
        """As `[delivery]` says. A domain whose connections are counted gets one for each of its slices."""
        usual = self._app.outgoing.orders()
        connections = self._connections
        if lane != COMMON and limits_of(lane, usual.pace).connections is not None:
            connections = 1
        return msgspec.structs.replace(usual, connections=connections, lease=LEASE)


def _call(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    """Call in the loop, from any thread; a loop that is closed needs to know no more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback)
