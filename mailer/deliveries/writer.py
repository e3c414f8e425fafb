"""
The one writer: a thread through which every change of the ledger passes while a campaign is sent.

A commit that is on the disk when it returns costs milliseconds, whatever it holds. So all connections hand in what they
have; the thread gets all that waits, writes it in one commit, and wakes them up. It gets a batch when half of the
connections wait for it, so that the other half can be at work meanwhile; or before, when the loop has done all that
there was to do and nobody else will hand anything in. It gets batches, not orders, and so is woken once a commit: each
time that it runs, the loop waits.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from mailer.clock import Clock
from mailer.deliveries.delivery import Handed, Settlement
from mailer.deliveries.ledger import LeaseLost, Ledger, Run
from mailer.errors import OperatorError
from mailer.log import get_logger

log = get_logger()

T = TypeVar("T")
_Order = tuple[Handed | Settlement | Callable[[], Any], "asyncio.Future[Any] | None"]

# So often in a row the loop must come by and find no new order, until it has nothing to do that could lead to one: what
# arrives from the network in one turn is worked on in the next.
_QUIET_TURNS = 2

# How long a database that is locked, full or gone is asked again before the run gives up. What was sent must be
# written down; a database that restarts comes back within this.
_WAITS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


class Writer:
    """Groups the commits of one run. Used from one event loop."""

    def __init__(
        self,
        ledger: Ledger,
        run: Run,
        clock: Clock,
        *,
        connections: int = 1,
    ) -> None:
        self._ledger = ledger
        self._run = run
        self._clock = clock
        self._fail: Callable[[Exception], None] = lambda _: None
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Order] = []
        self._hand_offs = 0  # of those that wait: so many connections do
        self._enough = max(1, connections // 2)
        self._is_busy = False
        self._is_looking = False
        self._batches: SimpleQueue[list[_Order] | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="ledger-writer", daemon=True)
        self._thread.start()

    def on_failure(self, tell: Callable[[Exception], None]) -> None:
        """Name who is told of an outcome that can't be written: nobody waits for those."""
        self._fail = tell

    def hand_off(self, delivery: Handed) -> "asyncio.Future[None]":
        """
        Step 4: make *handed* durable; who has awaited it knows it on the disk, and the end of the data may leave.

        Raises:
            LeaseLost: The run no longer holds the delivery.
            OperatorError: The database can't be written.

        """
        self._hand_offs += 1
        return self._order(delivery)

    def settle(self, settlement: Settlement) -> None:
        """Step 5: write an outcome down, in the order in which it came."""
        self._put(settlement, None)

    async def call(self, work: Callable[[], T]) -> T:
        """Run any other change of the ledger in the thread, in its turn."""
        result: T = await self._order(work)
        return result

    async def close(self) -> None:
        """Write what waits, and end the thread."""
        await self.call(lambda: None)
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)

    def _order(self, order: Handed | Callable[[], Any]) -> "asyncio.Future[Any]":
        future = self._loop.create_future()
        self._put(order, future)
        return future

    def _put(self, order: Handed | Settlement | Callable[[], Any], future: "asyncio.Future[Any] | None") -> None:
        self._waiting.append((order, future))
        if not self._is_busy:
            self._gather()

    def _gather(self) -> None:
        """Begin if enough is there; else see who else comes along."""
        if self._hand_offs >= self._enough:
            self._begin()
        elif not self._is_looking:
            self._is_looking = True
            self._loop.call_soon(self._look, 0, 0)

    def _look(self, seen: int, quiet: int) -> None:
        """Once a turn of the loop: begin when it has become quiet."""
        waiting = len(self._waiting)
        quiet = quiet + 1 if waiting == seen else 0
        if waiting and not self._is_busy and quiet < _QUIET_TURNS:
            self._loop.call_soon(self._look, waiting, quiet)
            return
        self._is_looking = False
        if waiting and not self._is_busy:
            self._begin()

    def _begin(self) -> None:
        """Give the thread all that waits."""
        self._is_busy = True
        self._batches.put(self._waiting)
        self._waiting, self._hand_offs = [], 0

    def _done(self, orders: Sequence[_Order], answers: Sequence[Any]) -> None:
        """Wake those who waited; what came meanwhile is the next batch."""
        for (_, future), answer in zip(orders, answers, strict=True):
            if isinstance(answer, Exception):
                if future is None:
                    self._fail(answer)
                elif not future.done():
                    future.set_exception(answer)
            elif future is not None and not future.done():
                future.set_result(answer)
        self._is_busy = False
        if self._waiting:
            self._gather()

    def _work(self) -> None:
        while (orders := self._batches.get()) is not None:
            answers = self._commit(orders)
            with suppress(RuntimeError):  # the loop may have been closed over our heads
                self._loop.call_soon_threadsafe(self._done, orders, answers)

    def _commit(self, orders: Sequence[_Order]) -> list[Any]:
        """One answer an order: a result or an exception."""
        handed = [order for order, _ in orders if isinstance(order, Handed)]
        settled = [order for order, _ in orders if isinstance(order, Settlement)]
        now = self._clock.now()  # the same at each try: what a lost commit wrote is known by it
        lost: Any = ()
        if handed or settled:
            lost = self._patiently(lambda: self._ledger.record(self._run, handed, settled, now=now))
        answers: list[Any] = []
        for order, _ in orders:
            if not isinstance(order, (Handed, Settlement)):
                answers.append(self._patiently(order))
            elif isinstance(lost, Exception):
                answers.append(lost)
            else:
                answers.append(LeaseLost("another sender took the delivery over") if order.id in lost else None)
        return answers

    def _patiently(self, work: Callable[[], Any]) -> Any:
        """What `work` gives or raises; a database out of reach is asked again, for a minute besides its own waiting."""
        for wait in (*_WAITS, None):
            try:
                return work()
            except OperatorError as problem:
                if wait is None:
                    return problem
                log.warning("the ledger can't be written", action="ledger-waits", why=str(problem), seconds=wait)
                time.sleep(wait)
            except Exception as problem:  # noqa: BLE001 - it is raised again where the order was given
                return problem
        raise AssertionError
