"""Runs the preview on this machine's own address, and on no other."""

import socket
import sys
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.applications import Starlette

from mailer.app import App
from mailer.errors import OperatorError
from mailer.web.preview.application import create
from mailer.web.preview.living import components
from mailer.web.preview.studio import Studio

HOST: Final = "127.0.0.1"


def serve(app: App, issue: str | None, port: int, *, ready: Callable[[str], None]) -> None:
    """
    Serve the preview of an issue, or the page of components, until SIGINT or SIGTERM; `ready` is told its address.

    Port 0 takes a free one.

    Raises:
        OperatorError: The port is taken.

    """
    _run(create(Studio(app, issue)) if issue else components(app), port, ready)


def _run(shown: Starlette, port: int, ready: Callable[[str], None]) -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as problem:
        listener.close()
        raise OperatorError(f"port {port} can't be used ({problem.strerror}); name another with --port") from None
    # An open page holds its stream for ever: at the end it is cut off, and that is nothing to log.
    config = uvicorn.Config(
        shown, log_level="critical", access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    # The check works in a thread beside; with Python's five milliseconds a turn it would hold up what is looked at.
    sys.setswitchinterval(0.0005)
    ready(f"http://{HOST}:{listener.getsockname()[1]}/")
    uvicorn.Server(config).run(sockets=[listener])
