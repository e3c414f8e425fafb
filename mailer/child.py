"""
A process of our own: a fresh interpreter, told what to do by one line of JSON on its standard input.

Nothing of ours survives a fork unharmed, neither the loop nor an open database. Its input closed means stop: so when
whoever started it dies, however it dies, it lands what is in flight and stops.
"""

import asyncio
import signal
import sys
from collections.abc import Mapping
from functools import partial
from typing import TypeVar

import msgspec

T = TypeVar("T")


async def start(
    module: str, task: object, environ: Mapping[str, str], *, speaks: bool = False
) -> asyncio.subprocess.Process:
    """Start a module of ours as a process and tell it its task; with `speaks` its output is a pipe to read from."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=pipe, stdout=pipe if speaks else None, env=dict(environ)
    )
    assert process.stdin is not None, "a pipe was asked for"
    process.stdin.write(msgspec.json.encode(task) + b"\n")
    return process


def told(kind: type[T]) -> T:
    """In the process that was started: its task."""
    return msgspec.json.decode(sys.stdin.buffer.readline(), type=kind)


async def stopping() -> asyncio.Event:
    """In the process that was started: what is set when it is to stop, by SIGTERM or by the end of its input."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # whoever started us got it too, and says when
    await loop.connect_read_pipe(partial(_Ear, stop), sys.stdin)
    return stop


class _Ear(asyncio.Protocol):
    """Listens for the end of the input."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Stop: nobody is there any more, or they want us to."""
        self._stop.set()
