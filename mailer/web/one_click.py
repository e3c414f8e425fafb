"""
RFC 8058 requests, answered before the pages are asked: after a campaign thousands may come within a minute.

What is plainly such a request, of a reader whom the link names, is answered here. Everything else goes on to the
pages (`leaving`), which read any form that says the same.
"""

import re
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailer.web import tickets
from mailer.web.desk import Desk

PATH: Final = "/u/"
_URLENCODED: Final = re.compile(rb"\s*List-Unsubscribe=One-Click\s*", re.IGNORECASE)
_MULTIPART: Final = re.compile(
    rb"(--[^\r\n]{1,70})\r\n"
    rb'Content-Disposition: *form-data; *name="?List-Unsubscribe"?\r\n(?:Content-Type: *text/plain[^\r\n]*\r\n)?\r\n'
    rb"One-Click\r\n\1--\s*",
    re.IGNORECASE,
)


def says_one_click(body: bytes) -> bool:
    """
    Whether a body says nothing but One-Click, in either of the encodings that RFC 8058 3.2 allows.

    The content type isn't asked: some proxies lose it on the way, and the body says the same.

    >>> says_one_click(b"List-Unsubscribe=One-Click"), says_one_click(b"action=leave")
    (True, False)
    """
    return bool(_URLENCODED.fullmatch(body) or _MULTIPART.fullmatch(body))


def heard() -> Response:
    """The answer: no page, no cookie, no redirect."""
    return PlainTextResponse("OK\n")


class OneClick:
    """The application inside, and before it the one request that comes by the thousand."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(PATH):
            await self._app(scope, receive, send)
            return
        body = _Body(receive)
        if says_one_click(await body.read()) and await self._leaves(scope["path"].removeprefix(PATH)):
            await heard()(scope, receive, send)
            return
        await self._app(scope, body.again, send)

    async def _leaves(self, token: str) -> bool:
        bearer = tickets.bearer_of(self._desk.signer, tickets.UNSUBSCRIBE, token)
        return bearer is not None and await self._desk.leave(
            bearer.subscriber_id, f"one-click campaign:{bearer.campaign}"
        )


class _Body:
    """A request's body, read once and told again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._told: list[Message] = []

    async def read(self) -> bytes:
        """All of it; one that is refused or broken off is none, and who reads it again hears why."""
        try:
            while not self._told or self._told[-1].get("more_body", False):
                self._told.append(await self._receive())
        except HTTPException:
            return b""
        is_whole = self._told[-1]["type"] == "http.request"
        return b"".join(message.get("body", b"") for message in self._told) if is_whole else b""

    async def again(self) -> Message:
        """The messages in their order, then what else comes."""
        return self._told.pop(0) if self._told else await self._receive()
