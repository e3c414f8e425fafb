"""The long-running commands on PostgreSQL: `mailer run` schedules if elected, and sends; `mailer worker` sends."""

import asyncio

from mailer.app import App
from mailer.cluster import processes, queue
from mailer.cluster.scheduler import Candidate, MakeScheduler
from mailer.errors import OperatorError


async def serve(app: App, stop: asyncio.Event, make: MakeScheduler, *, sends: bool = True) -> None:
    """Stand for scheduler and send (or leave that to others), until told to stop."""
    await asyncio.to_thread(queue.install, app.database)
    candidate = asyncio.create_task(Candidate(app, stop, make).run())
    try:
        await (processes.send(app, stop, processes=app.outgoing.processes) if sends else stop.wait())
    finally:
        stop.set()
        await candidate


async def work(app: App, stop: asyncio.Event, *, number: int | None) -> None:
    """
    Send alone, with so many processes (or as many as `[delivery] processes` says), until told to stop.

    Raises:
        OperatorError: The database is SQLite's, which serves one machine.

    """
    if app.database.is_sqlite:
        raise OperatorError(
            "workers need [database] url = postgresql://…; a SQLite file serves one machine, where `mailer run` sends"
        )
    await asyncio.to_thread(queue.install, app.database)
    await processes.send(app, stop, processes=number or app.outgoing.processes)
