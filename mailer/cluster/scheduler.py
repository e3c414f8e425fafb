"""
The elected scheduler: of all `mailer run` on one PostgreSQL exactly one fires the schedule and deals out campaigns.

The others stand for election every few seconds. What the scheduler does is safe if two do it for a moment: a fire is
unique by its schedule and instant, a campaign moves in one transaction, a slice is queued once.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from mailer.app import App
from mailer.cluster.dealing import Dealer
from mailer.errors import MailerError
from mailer.log import get_logger
from mailer.storage.election import Election

log = get_logger()

_STAND: Final = 3.0


class Scheduler(Protocol):
    """What runs while we are elected (`worker.Worker`)."""

    async def run(self) -> None:
        """Work until told to stop."""
        ...

    def stop(self) -> None:
        """Ask it to stop."""
        ...


MakeScheduler = Callable[[Dealer], Scheduler]


class Candidate:
    """One `mailer run` that stands for election until it is stopped."""

    def __init__(self, app: App, stop: asyncio.Event, make: MakeScheduler) -> None:
        self._app = app
        self._stop = stop
        self._make = make
        self._election = Election(app.database)

    async def run(self) -> None:
        """Stand for election; while elected, schedule."""
        term: tuple[Scheduler, asyncio.Task[None]] | None = None
        try:
            while not self._stop.is_set():
                elected = await asyncio.to_thread(self._election.stand)
                if term and (not elected or term[1].done()):
                    await self._end(*term)
                    term = None
                if elected and term is None:
                    term = self._begin()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), _STAND)
        finally:
            if term:
                await self._end(*term)
            await asyncio.to_thread(self._election.resign)

    def _begin(self) -> tuple[Scheduler, "asyncio.Task[None]"]:
        log.info("elected scheduler", action="elected")
        scheduler = self._make(Dealer(self._app))
        return scheduler, asyncio.create_task(scheduler.run())

    async def _end(self, scheduler: Scheduler, task: "asyncio.Task[None]") -> None:
        scheduler.stop()
        try:
            await task
        except MailerError as problem:
            log.warning("the scheduler failed", action="scheduler-failed", why=str(problem))
        except Exception:  # whatever it was, the next term begins afresh
            log.exception("the scheduler failed", action="scheduler-failed")
        log.info("no longer scheduler", action="resigned")
