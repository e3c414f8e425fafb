"""
The one writer: a thread through which every change of the ledger passes while a campaign is sent.

A commit that is on the disk when it returns costs milliseconds, whatever it holds. So all connections hand in what they
have; the thread takes everything that waits, writes it in one commit, and wakes them up. The longer the disk takes, the
more one commit holds.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from mailer.clock import Clock
from mailer.deliveries.delivery import Handed, Settlement
from mailer.deliveries.ledger import LeaseLost, Ledger, Run
from mailer.errors import OperatorError

T = TypeVar("T")
_Order = tuple[Handed | Settlement | Callable[[], Any], "asyncio.Future[Any]"]

# How long a database that is locked, full or gone is asked again before the run gives up. What was sent must be
# written down; a database that restarts comes back within this.
_WAITS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


class Writer:
    """Groups the commits of one run. Used from one event loop."""

    def __init__(self, ledger: Ledger, run: Run, clock: Clock, *, waits: Sequence[float] = _WAITS) -> None:
        self._ledger = ledger
        self._run = run
        self._clock = clock
        self._waits = waits
        self._loop = asyncio.get_running_loop()
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="ledger-writer", daemon=True)
        self._thread.start()

    async def hand_off(self, delivery: Handed) -> None:
        """
        Make *handed* durable; on return it is on the disk, and the end of the data may leave.

        Raises:
            LeaseLost: The run no longer holds the delivery.
            OperatorError: The database can't be written.

        """
        await self._order(delivery)

    def settle(self, settlement: Settlement) -> "asyncio.Future[None]":
        """Write an outcome down, in the order in which it came; await the future to know that it is on the disk."""
        return self._order(settlement)

    async def call(self, work: Callable[[], T]) -> T:
        """Run any other change of the ledger in the thread, in its turn."""
        result: T = await self._order(work)
        return result

    async def close(self) -> None:
        """Write what waits, and end the thread."""
        self._orders.put(None)
        await asyncio.to_thread(self._thread.join)

    def _order(self, order: Handed | Settlement | Callable[[], Any]) -> "asyncio.Future[Any]":
        future = self._loop.create_future()
        self._orders.put((order, future))
        return future

    def _work(self) -> None:
        more = True
        while more:
            batch: list[_Order | None] = [self._orders.get()]
            with suppress(Empty):
                while True:
                    batch.append(self._orders.get_nowait())
            orders = [order for order in batch if order is not None]
            more = len(orders) == len(batch)
            answers = self._commit(orders)
            with suppress(RuntimeError):  # the loop may have been closed over our heads
                self._loop.call_soon_threadsafe(_wake, orders, answers)

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
        """What `work` gives or raises; a database out of reach is asked again for a minute."""
        for wait in (*self._waits, None):
            try:
                return work()
            except OperatorError as problem:
                if wait is None:
                    return problem
                time.sleep(wait)
            except Exception as problem:  # noqa: BLE001 - it is raised again where the order was given
                return problem
        raise AssertionError


def _wake(orders: Sequence[_Order], answers: Sequence[Any]) -> None:
    for (_, future), answer in zip(orders, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
