"""
Where many come at once, they go through a turnstile: those who come while a commit is under way share the next one.

After a campaign goes out thousands may leave or follow a link within a minute, while the campaign itself keeps
writing; one durable commit for each of them would queue up at the database's lock.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from starlette.concurrency import run_in_threadpool

# A commit costs the same for one as for twenty: while many come, none begins sooner than this after the last.
_BREATH: Final = 0.010

T = TypeVar("T")
R = TypeVar("R")


class Turnstile(Generic[T, R]):
    """Groups what comes; `commit` takes everything that waits, and gives one answer each, in that order."""

    def __init__(self, commit: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._commit = commit
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._turning: asyncio.Task[None] | None = None

    async def through(self, one: T) -> R:
        """Its answer, once the commit that holds it is on the disk."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((one, answer))
        if self._turning is None or self._turning.done():
            self._turning = asyncio.create_task(self._turn())
        return await asyncio.shield(answer)

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            begun = loop.time()
            batch, self._waiting = self._waiting, []
            try:
                answers = await run_in_threadpool(self._commit, [one for one, _ in batch])
            except Exception as problem:  # noqa: BLE001 - everybody in the batch must hear of it
                for _, waiting in batch:
                    waiting.set_exception(problem)
            else:
                for (_, waiting), answer in zip(batch, answers, strict=True):
                    waiting.set_result(answer)
            await asyncio.sleep(begun + _BREATH - loop.time())
