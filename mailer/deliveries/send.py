"""
The front door: sends one campaign until nothing is left but retries. The promise of this house is kept here.

1. *Freeze*: the recipients were fixed, once each, before this begins (`Ledger.freeze`, by `dispatch.begin`).
2. *Claim* a batch, ahead of the channels; who has left meanwhile is suppressed in the same transaction (`Claims`).
3. *Transmit* all but the end of the data (`Carrier`, `Channel.transmit`).
4. *Hand off*: durable before the end of the data leaves (`Writer.hand_off`, called back by the channel).
5. *Settle* by what came of it (`Verdicts`, `outcome`).
6. *Recover*, when a run begins, what dead ones left: claimed goes back, handed is uncertain (`Ledger.begin`), unless
   the way out can be asked and has it (`asking`).
7. *Finish* only when nothing is open and the sums reconcile (`campaigns.advance.finish`, by `dispatch.conclude`).

`grep -rn "Step" mailer` finds each of them where it is done.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from mailer.campaigns.campaign import State as CampaignState
from mailer.clock import Clock
from mailer.deliveries import retry
from mailer.deliveries.asking import settle_what_is_known
from mailer.deliveries.carrier import Carrier, MakeMessage
from mailer.deliveries.claims import Claims
from mailer.deliveries.failover import Diverted, Failover
from mailer.deliveries.ledger import Ledger, Run
from mailer.deliveries.orders import Ending, Orders, Progress, Result
from mailer.deliveries.process import Process
from mailer.deliveries.transport import Transport, TransportDown, TransportError
from mailer.deliveries.verdicts import Verdicts
from mailer.deliveries.writer import Writer

_AS_USUAL = Orders()


async def send(
    campaign: int,
    *,
    ledger: Ledger,
    transport: Transport | Sequence[Transport],
    make_message: MakeMessage,
    clock: Clock,
    orders: Orders = _AS_USUAL,
    stop: asyncio.Event | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Result:
    """
    Send what is due of a campaign whose recipients are frozen, and account for it.

    `stop` ends it gracefully: what is in flight lands, what was claimed goes back. A campaign that is paused or
    cancelled meanwhile ends it likewise. Of several transports the first that isn't down is taken.

    Raises:
        LeaseLost: This process was taken for dead; another goes on.
        OperatorError: The database can't be used; nothing was sent without its commit.

    """
    recover = partial(ledger.begin, campaign, Process.this(), lease=orders.lease, now=clock.now())
    run = await asyncio.to_thread(recover)
    writer = Writer(ledger, run, clock, connections=orders.own_connections)
    ways = Failover(transport if isinstance(transport, Sequence) else [transport], clock)
    try:
        sending = Sending(
            run,
            ledger=ledger,
            writer=writer,
            ways=ways,
            make_message=make_message,
            clock=clock,
            orders=orders,
            tell=progress,
        )
        return await sending.carry_out(stop or asyncio.Event())
    finally:
        await writer.close()


class Sending:
    """One run of one campaign in one process."""

    def __init__(
        self,
        run: Run,
        *,
        ledger: Ledger,
        writer: Writer,
        ways: Failover,
        make_message: MakeMessage,
        clock: Clock,
        orders: Orders,
        tell: Callable[[Progress], None],
    ) -> None:
        self._run = run
        self._ledger = ledger
        self._writer = writer
        self._ways = ways
        self._make_message = make_message
        self._clock = clock
        self._orders = orders
        self._claims = Claims(ledger, run, writer, clock, orders)
        self._verdicts = Verdicts(writer, clock, losses=orders.losses, tell=tell, close=self._close)
        writer.on_failure(self._fail)
        self._channels: list[asyncio.Task[None]] = []
        self._closing = asyncio.Event()
        self._failure: Exception | None = None
        self._paced_until: datetime | None = None

    async def carry_out(self, stop: asyncio.Event) -> Result:
        """Rounds of sending until nothing is due, or until told to stop; then the account."""
        heart = asyncio.create_task(self._beat(stop))
        try:
            await self._ask_for_uncertain()
            await self._resend_uncertain(at_once=True)
            while not self._closing.is_set() and self._is_in_hours():
                await self._round()
                if not await self._something_is_due():
                    break
        finally:
            heart.cancel()
            await self._leave()
        if self._failure:
            raise self._failure
        return await asyncio.to_thread(self._result)

    async def _round(self) -> None:
        """All channels, until they find nothing due."""
        if await self._claims.open():
            number = self._orders.own_connections
            self._channels = [asyncio.create_task(self._work_a_channel()) for _ in range(number)]
            await asyncio.wait(self._channels)

    async def _work_a_channel(self) -> None:
        """One carrier, which takes delivery after delivery through Steps 2 to 5 until it finds nothing due."""
        carrier = Carrier(
            self._claims,
            ways=self._ways,
            writer=self._writer,
            verdicts=self._verdicts,
            make_message=self._make_message,
        )
        try:
            await carrier.carry(self._back_off)
        except Exception as problem:  # noqa: BLE001 - the other channels land first, then it is raised
            self._fail(problem)

    async def _back_off(self, error: TransportError, losses: int) -> None:
        """The channel is gone: wait before the next is opened, ever longer. If it is us, there is no next."""
        if isinstance(error, TransportDown):
            self._verdicts.refused_us(error.reply)
            return
        if isinstance(error, Diverted):
            return
        self._verdicts.waiting(error.reply)
        seconds = min(self._orders.longest_wait, self._orders.first_wait * 2 ** min(losses - 1, 16))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    # --- when to stop, and how to leave --------------------------------------------------------------------------

    async def _beat(self, stop: asyncio.Event) -> None:
        """Look up twice a second: are we to stop, was the campaign paused? Prolong the lease in good time."""
        renewed = self._clock.monotonic()
        try:
            while not self._closing.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._orders.heartbeat)
                # By the writer, who waits for a database that is away; who asked in vain would end the run for it.
                state = await self._writer.call(partial(self._ledger.campaign_state, self._run.campaign_id))
                if stop.is_set() or state is not CampaignState.SENDING or not self._is_in_hours():
                    self._close()
                if self._clock.monotonic() - renewed > self._orders.lease.total_seconds() / 4:
                    await self._writer.call(partial(self._ledger.renew, self._run, self._orders.lease))
                    renewed = self._clock.monotonic()
        except Exception as problem:  # noqa: BLE001 - who can't keep the lease lands and stops
            self._fail(problem)

    def _is_in_hours(self) -> bool:
        return self._orders.window is None or self._orders.window.is_open(self._clock.now())

    def _fail(self, problem: Exception) -> None:
        self._failure = self._failure or problem
        self._close()

    def _close(self) -> None:
        """Hand out no more. What is in flight may land until the drain's time is over."""
        if not self._closing.is_set():
            self._claims.close()
            self._closing.set()
            asyncio.get_running_loop().call_later(self._orders.drain, self._cut_off)

    def _cut_off(self) -> None:
        for channel in self._channels:
            channel.cancel()

    async def _leave(self) -> None:
        """Give back what was claimed, and close the run: what could not land is uncertain, as if we had died."""
        try:
            await self._claims.give_back()
            await self._writer.call(partial(self._ledger.end, self._run, now=self._clock.now()))
        except Exception as problem:  # noqa: BLE001 - the first failure is the one to tell
            self._fail(problem)

    # --- what is left --------------------------------------------------------------------------------------------

    async def _ask_for_uncertain(self) -> None:
        """Step 6, its end: look up what had no answer, where the way out can be asked."""
        await settle_what_is_known(
            self._run,
            [way.transport for way in self._ways.ways],
            ledger=self._ledger,
            writer=self._writer,
            make_message=self._make_message,
            clock=self._clock,
        )

    async def _resend_uncertain(self, *, at_once: bool) -> None:
        """Under that policy, send again what had no answer: at once what dead runs left, later what this one did."""
        if self._orders.on_uncertain == "resend":
            now = self._clock.now()
            due_at = now if at_once else now + retry.FIRST
            again = partial(self._ledger.resend_uncertain, self._run.campaign_id, due_at=due_at, now=now)
            await self._writer.call(again)

    async def _something_is_due(self) -> bool:
        await self._resend_uncertain(at_once=False)
        self._paced_until = due_at = await self._claims.next_at()
        return due_at is not None and due_at <= self._clock.now()

    def _result(self) -> Result:
        account = self._ledger.account(self._run.campaign_id)
        next_at = self._ledger.next_due(self._run.campaign_id)
        if self._verdicts.down:
            return Result(Ending.DOWN, account, next_at, self._verdicts.down)
        if not account.pending:
            return Result(Ending.DONE, account)
        if not self._is_in_hours() and self._orders.window is not None:
            now = self._clock.now()
            return Result(Ending.OUT_OF_HOURS, account, self._orders.window.opens(max(now, next_at or now)))
        if self._closing.is_set():
            return Result(Ending.STOPPED, account, next_at)
        if self._paced_until and (next_at is None or next_at <= self._clock.now()):
            return Result(Ending.PACED, account, self._paced_until)
        return Result(Ending.RETRIES_LEFT, account, next_at)
