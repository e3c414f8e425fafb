"""
The queue of slices: procrastinate, in a schema of its own of the same PostgreSQL. Nothing else knows it.

A job says which slice to send. It is deleted when nothing is left of the slice, and comes back by itself when something
is. The job of a process that is seen no more is put back by whoever schedules.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Self

import msgspec
import procrastinate
import psycopg
from procrastinate import exceptions
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.schema import SchemaManager

from mailer.log import get_logger
from mailer.storage.database import Database
from mailer.storage.postgres import ALERT
from mailer.storage.slices import Slice

log = get_logger()

_SCHEMA: Final = "jobs"
_TASK: Final = "send-slice"
# The slices of a slow domain have places of their own in each process, or they would take up all there are.
_COMMON, _SLOW = "common", "slow"
_USUAL, _URGENT = 0, 10
_INSTALLING: Final = 0x6D61_696A_6F62  # an advisory lock
# A process says three times within the time after which it is missed that it is alive.
_HEARTBEAT: Final = 3.0
_MISSED_AFTER: Final = 10.0
# How soon a job is tried again that failed: the database was away, or another sender had taken over.
_AGAIN: Final = 5
_PATIENCE: Final = 10.0  # for a connection

Trouble = (exceptions.ConnectorException, psycopg.Error)
"""What is raised when the database is away."""


def words(problem: BaseException) -> str:
    """What went wrong, in one line; procrastinate by itself says no more than that it was the database."""
    return " ".join(str(problem.__cause__ or problem).split())


Work = Callable[[Slice], Awaitable[datetime | None]]


class ComesBack(Exception):
    """A slice of which something is left, for later."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"again at {at.isoformat()}")
        self.at = at


class _Again(BaseRetryStrategy):
    """Every job comes back until it is done: the ledger alone says when that is."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, ComesBack):
            return RetryDecision(retry_at=exception.at)
        log.warning("a slice failed", action="slice-failed", why=words(exception), **job.task_kwargs)
        return RetryDecision(retry_in={"seconds": _AGAIN})


class Queued(msgspec.Struct, frozen=True):
    """The slices of one campaign that are queued or being sent; of these how many could be begun now."""

    slices: Sequence[Slice]
    waiting: int


def install(database: Database) -> None:
    """Make the queue's schema if it isn't there; `mailer db upgrade` does so."""
    with database.write() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_INSTALLING})")
        if connection.exec_driver_sql(f"SELECT to_regclass('{_SCHEMA}.procrastinate_jobs')").scalar() is None:
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
            connection.exec_driver_sql(f"SET LOCAL search_path TO {_SCHEMA}")
            driver: Any = connection.connection.cursor()
            driver.execute(SchemaManager.get_schema())


class Queue:
    """The queue, as one process uses it: `async with` opens it."""

    def __init__(self, database: Database) -> None:
        # What goes wrong is said by ours; the libraries would say it again, and at length.
        for name in ("procrastinate", "psycopg.pool"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        session = {**ALERT, "options": f"-c search_path={_SCHEMA}"}
        connector = procrastinate.PsycopgConnector(
            conninfo=url, kwargs=session, min_size=1, max_size=4, timeout=_PATIENCE
        )
        self._app = procrastinate.App(connector=connector)

    async def open(self) -> Self:
        """Open the connections to the queue."""
        await self._app.open_async()
        return self

    async def close(self) -> None:
        """Give the connections back."""
        await self._app.close_async()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def put(self, slices: Sequence[Slice], *, locks: Sequence[str], is_urgent: bool = False) -> None:
        """
        Queue slices; of those with the same lock one is sent at a time. What is queued already stays as it is.

        What is urgent goes ahead: a campaign for a few people doesn't wait until a large one has gone out.
        """
        jobs = [
            self._job(part, lock, _URGENT if is_urgent else _USUAL) for part, lock in zip(slices, locks, strict=True)
        ]
        manager = self._app.job_manager
        try:
            if jobs:
                await manager.batch_defer_jobs_async(jobs=jobs)
        except exceptions.AlreadyEnqueued:
            for job in jobs:
                with suppress(exceptions.AlreadyEnqueued):
                    await manager.defer_job_async(job=job)

    def _job(self, part: Slice, lock: str, priority: int) -> Job:
        name = f"{part.campaign}/{part.lane}/{part.first}-{part.last}"
        queue = _SLOW if part.lane else _COMMON
        to_do = self._app.configure_task(_TASK, lock=lock or name, queueing_lock=name, queue=queue, priority=priority)
        return to_do.make_new_job(**msgspec.structs.asdict(part))

    async def queued(self, campaign: int) -> Queued:
        """What is queued of a campaign or being sent."""
        rows = await self._app.connector.execute_query_all_async(
            "SELECT args, (status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())) AS waits "
            "FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND task_name = %(task)s "
            "AND (args->>'campaign')::bigint = %(campaign)s",
            task=_TASK,
            campaign=campaign,
        )
        return Queued([msgspec.convert(row["args"], Slice) for row in rows], sum(row["waits"] for row in rows))

    async def put_back_lost(self) -> int:
        """Put back what was being sent by processes that are seen no more; gives how many slices."""
        jobs = self._app.job_manager
        number = 0
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=_MISSED_AFTER):
            with suppress(
                exceptions.UniqueViolation, exceptions.ConnectorException
            ):  # its sender came back and has just finished it
                await jobs.retry_job(job)
                number += 1
        return number

    async def work(self, carry_out: Work, *, together: int, slow: int) -> None:
        """
        Take slices from the queue, so many at a time, until cancelled; then those in hand come to their end.

        Raises:
            Trouble: The database is away.

        """

        async def send_slice(campaign: int, first: int, last: int, lane: str) -> None:
            if (again := await carry_out(Slice(campaign, first, last, lane))) is not None:
                raise ComesBack(again)

        if _TASK not in self._app.tasks:
            self._app.task(name=_TASK, queue=_COMMON, retry=_Again())(send_slice)
        both = [asyncio.create_task(self._work(*each)) for each in ((_COMMON, together), (_SLOW, slow))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            ended = await asyncio.gather(*both, return_exceptions=True)
        for each in ended:
            if isinstance(each, Exception):
                raise each

    async def _work(self, queue: str, together: int) -> None:
        await self._app.run_worker_async(
            queues=[queue],
            concurrency=together,
            fetch_job_polling_interval=1.0,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=_HEARTBEAT,
            stalled_worker_timeout=_MISSED_AFTER,
        )
