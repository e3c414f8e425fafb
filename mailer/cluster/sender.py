"""
A sending process: it takes slices from the queue until it is told to stop, and is seen on the roster meanwhile.

It waits for a database that is away, however long. When a newer program has been at the tables it lands what is in
flight, gives the rest back and stops.
"""

import asyncio
from contextlib import suppress
from importlib.metadata import version
from typing import Final

from mailer.app import App
from mailer.cluster import queue
from mailer.cluster.queue import Queue
from mailer.cluster.sessions import Sessions
from mailer.deliveries.process import Process
from mailer.errors import OperatorError
from mailer.log import get_logger
from mailer.storage.revision import TooOld, demand_known
from mailer.storage.workers import Roster

log = get_logger()

# Slices in hand at a time: while the last messages of one land, the next is being sent.
_TOGETHER: Final = 2
_SLOW: Final = 16
_BEAT: Final = 2.0
_PAUSE: Final = 1.0
# The rate that is shown is that of so many beats.
_WINDOW: Final = 5


class Sender:
    """One process's share of all campaigns."""

    def __init__(self, app: App, stop: asyncio.Event, *, number: int = 0, processes: int = 1) -> None:
        self._app = app
        self._stop = stop
        self._sessions = Sessions(app, stop, number=number, processes=processes)
        self._roster = Roster(app.database)
        self._refusal: TooOld | None = None

    async def run(self) -> None:
        """
        Send until asked to stop; what is in flight lands, the rest goes back.

        Raises:
            TooOld: The tables are those of a newer program.
            OperatorError: This machine has another secret than the rest.

        """
        await asyncio.to_thread(demand_known, self._app.database)
        beats = asyncio.create_task(self._beat())
        log.info("sender started", action="sender-started", version=version("mailer"))
        try:
            while not self._stop.is_set():
                try:
                    await self._work()
                except queue.Trouble as problem:
                    log.warning("the queue is out of reach", action="queue-away", why=queue.words(problem))
                await self._wait(_PAUSE)
        finally:
            self._stop.set()
            await beats
            log.info("sender stopped", action="sender-stopped", sent=self._sessions.sent)
        if refusal := self._refusal or self._sessions.refusal:
            raise refusal

    async def _work(self) -> None:
        """Until told to stop, or until the database goes away."""
        async with Queue(self._app.database) as open_queue:
            work = asyncio.create_task(open_queue.work(self._sessions.carry_out, together=_TOGETHER, slow=_SLOW))
            stopping = asyncio.create_task(self._stop.wait())
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work

    async def _beat(self) -> None:
        """Be seen on the roster; look whether we may go on."""
        number: int | None = None
        told: list[int] = []
        while not self._stop.is_set():
            try:
                await asyncio.to_thread(demand_known, self._app.database)
                if number is None:
                    number = await asyncio.to_thread(self._roster.sign_on, Process.this(), version("mailer"))
                told = [*told, self._sessions.sent][-_WINDOW - 1 :]
                rate = (told[-1] - told[0]) / (_BEAT * max(1, len(told) - 1))
                await asyncio.to_thread(
                    self._roster.seen, number, slices=self._sessions.slices, sent=told[-1], rate=round(rate, 1)
                )
            except TooOld as problem:
                self._refusal = problem
                self._stop.set()
            except OperatorError as problem:
                log.warning("the database is out of reach", action="database-away", why=str(problem))
            await self._wait(_BEAT)
        if number is not None:
            with suppress(OperatorError):
                await asyncio.to_thread(self._roster.sign_off, number)

    async def _wait(self, seconds: float) -> None:
        """Wait, but not longer than until told to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
