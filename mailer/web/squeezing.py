"""
Compresses what is public on its way: an edition is styled for mail, and ten times as long as it needs to be.

Nothing else is compressed: beside words that a stranger may choose, the length of a compressed page would tell what a
token in it is (the attack called BREACH).
"""

from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_PUBLIC: Final = ("/brief/", "/feed.xml")
_LEAST_BYTES: Final = 1024
_EFFORT: Final = 5


class Squeezing:
    """The application inside, its public pages compressed for those who take them so (RFC 9110 12.5.3)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._squeezed = GZipMiddleware(app, minimum_size=_LEAST_BYTES, compresslevel=_EFFORT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of the application inside."""
        is_public = scope["type"] == "http" and scope["path"].startswith(_PUBLIC)
        await (self._squeezed if is_public else self._app)(scope, receive, send)
