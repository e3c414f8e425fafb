"""Several sending processes on one machine, each (a `child`) replaced when it dies."""

import asyncio
import sys
from typing import Final

import msgspec

from mailer import child, config
from mailer.app import App
from mailer.cluster.sender import Sender
from mailer.errors import MailerError, OperatorError
from mailer.log import get_logger

log = get_logger()

_PAUSE: Final = 2.0
_REFUSED: Final = 3  # the exit status of a process that may not go on


class Task(msgspec.Struct, frozen=True):
    """Which process of how many, with the config itself: its file may be edited meanwhile."""

    config: config.Config
    path: str
    number: int
    processes: int


async def send(app: App, stop: asyncio.Event, *, processes: int) -> None:
    """
    Send with so many processes until told to stop.

    Raises:
        OperatorError: This program is older than the tables.

    """
    if processes == 1:
        await Sender(app, stop).run()
        return
    places = [asyncio.create_task(_keep(app, stop, number, processes)) for number in range(processes)]
    try:
        await asyncio.gather(*places)
    finally:
        stop.set()
        await asyncio.gather(*places, return_exceptions=True)


async def _keep(app: App, stop: asyncio.Event, number: int, processes: int) -> None:
    """One place, filled again whenever its process dies."""
    task = Task(app.config, str(app.loaded.path), number, processes)
    while not stop.is_set():
        process = await child.start(__name__, task, app.loaded.environ)
        assert process.stdin is not None, "a pipe was asked for"
        ended, stopping = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        process.stdin.close()
        status = await ended
        stopping.cancel()
        if status == _REFUSED:
            raise OperatorError("a sending process may not go on; what it said stands above")
        if not stop.is_set():
            log.warning("a sender died", action="sender-died", status=status)
            await asyncio.sleep(_PAUSE)


async def _serve(task: Task, loaded: config.Loaded) -> None:
    await Sender(App(loaded), await child.stopping(), number=task.number, processes=task.processes).run()


def main() -> None:
    """Send as standard input says."""
    import uvloop

    task = child.told(Task)
    loaded = config.Loaded.handed(task.config, task.path)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(task, loaded))
    except MailerError as problem:
        print(f"mailer: {problem}", file=sys.stderr)  # noqa: T201 - as the command line says it
        sys.exit(_REFUSED)


if __name__ == "__main__":
    main()
