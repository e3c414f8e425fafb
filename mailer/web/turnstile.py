"""
Everybody who leaves goes through one turnstile: those who come while a commit is under way share the next one.

After a campaign goes out thousands may leave within a minute, while the campaign itself keeps writing; one durable
commit for each of them would queue up at the database's lock.
"""

import asyncio
from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool

from mailer.storage.preferences import Reader

Leave = Callable[[Mapping[int, str]], dict[int, Reader]]


class Turnstile:
    """Groups departures; whoever awaits `leave` is told only after the commit."""

    def __init__(self, leave: Leave) -> None:
        self._leave = leave
        self._waiting: dict[int, tuple[str, asyncio.Future[Reader | None]]] = {}
        self._turning: asyncio.Task[None] | None = None

    async def leave(self, subscriber_id: int, how: str) -> Reader | None:
        """The reader as they are once they left; None if there is nobody of that number."""
        if subscriber_id not in self._waiting:
            self._waiting[subscriber_id] = (how, asyncio.get_running_loop().create_future())
        _, gone = self._waiting[subscriber_id]
        if self._turning is None or self._turning.done():
            self._turning = asyncio.create_task(self._turn())
        return await asyncio.shield(gone)

    async def _turn(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, {}
            try:
                readers = await run_in_threadpool(self._leave, {number: how for number, (how, _) in batch.items()})
            except Exception as problem:  # noqa: BLE001 - everybody in the batch must hear of it
                for _, waiting in batch.values():
                    waiting.set_exception(problem)
            else:
                for number, (_, waiting) in batch.items():
                    waiting.set_result(readers.get(number))
