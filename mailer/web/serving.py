"""Runs the application under uvicorn, with a time limit on every step that a slow or hostile client could draw out."""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mailer.app import App
from mailer.errors import OperatorError
from mailer.web.application import create

HEAD_SECONDS: Final = 10.0
_HEAD_BYTES: Final = 16 * 1024
_IDLE_SECONDS: Final = 5
_MOST_CONNECTIONS: Final = 1000
# A thread that writes to the database lets go of the interpreter's lock at every statement and holds the database's all
# the while; at the usual 5 ms it would wait that long each time for the loop to give it back.
_SWITCH_SECONDS: Final = 0.0005


class ImpatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 that hangs up when the head of a request takes too long or too much: uvicorn itself would go on."""

    head_seconds = HEAD_SECONDS
    _is_head_due = True
    _framing = 0  # bytes of this request that are no body: its head, its chunks' sizes, its trailers
    _hang_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Start counting when somebody connects."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Count on until the head of a request is complete."""
        if self._is_head_due:
            self._watch()
        self._framing += len(data)
        super().data_received(data)
        if self._framing > _HEAD_BYTES:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """Stop counting: what follows is the guard's."""
        self._is_head_due = False
        self._stop()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count what is no body alone."""
        self._framing -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect the next head; its time begins with its first byte, and idling has a limit of its own."""
        self._is_head_due, self._framing = True, 0
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self._hang_up is None:
            self._hang_up = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _stop(self) -> None:
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None


def settings(app: ASGIApp, host: str, port: int, **more: Any) -> uvicorn.Config:
    """How uvicorn runs here: short patience, small heads, no banner, no log of who read what."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=ImpatientProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=10,
        limit_concurrency=_MOST_CONNECTIONS,
        **more,
    )


def serve(house: App, host: str, port: int, ready: Callable[[str], None]) -> None:
    """
    Serve the pages of a publication until SIGINT or SIGTERM; `ready` is told the address once somebody listens there.

    Raises:
        OperatorError: The port is taken, or the address isn't ours.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as problem:
        raise OperatorError(
            f"can't listen on {host} port {port} ({problem.strerror or problem}); choose another with --host and --port"
        ) from None
    sys.setswitchinterval(_SWITCH_SECONDS)
    with listener:
        ready(f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}")
        uvicorn.Server(settings(create(house), host, port)).run(sockets=[listener])
