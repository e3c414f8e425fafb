"""
The guard around every page: headers that browsers obey, and a limit on what anybody may send.

It wraps the whole application, so that an error page is as guarded as any other.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailer.tokens import new_secret

_Header = tuple[bytes, bytes]
FORM_BYTES: Final = 64 * 1024
BODY_SECONDS: Final = 15.0
_LENGTH: Final = re.compile(r"[0-9]{1,9}")
# As ASGI carries them, names in lower case: they go with every answer.
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex"),
)
_STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")
_POLICY: Final = b"content-security-policy"
_CLOSE: Final = (b"connection", b"close")


def page_policy(nonce: str) -> str:
    """The Content-Security-Policy of our own pages: nothing but what carries the nonce."""
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


class Guard:
    """Adds the security headers, gives each request a nonce, and refuses bodies that are too big or too slow."""

    body_seconds = BODY_SECONDS

    def __init__(self, app: ASGIApp, limits: Mapping[str, int] | None = None) -> None:
        """Guard `app`; `limits` are the bytes allowed below paths that need more than a form does."""
        self.app = app
        self.limits = limits or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of the application inside."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = new_secret()
        scope.setdefault("state", {})["nonce"] = nonce

        own = (limit for path, limit in self.limits.items() if scope["path"].startswith(path))
        body = _Body(scope, receive, most=next(own, FORM_BYTES), seconds=self.body_seconds)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *_with_ours(message.get("headers", ()), scope, nonce),
                    *(() if body.is_read else (_CLOSE,)),  # nobody wants the rest: don't let it come
                ]
            await send(message)

        await self.app(scope, body.receive, send_guarded)


def _with_ours(headers: Iterable[_Header], scope: Scope, nonce: str) -> list[_Header]:
    """An answer's headers and ours, where it has none of the same name."""
    own = list(headers)
    named = {name for name, _ in own}
    ours = [*_HEADERS, (_POLICY, page_policy(nonce).encode())]
    if scope["scheme"] == "https":
        own.append(_STRICT_TRANSPORT)
    return own + [header for header in ours if header[0] not in named]


class _Body:
    """A request's body, read up to `most` bytes in all and for so many seconds in all."""

    def __init__(self, scope: Scope, receive: Receive, *, most: int, seconds: float) -> None:
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "0")
        self.is_read = announced == "0" and "transfer-encoding" not in headers
        self._is_too_big = not _LENGTH.fullmatch(announced) or int(announced) > most
        self._most = most
        self._seconds = seconds
        self._receive = receive
        self._seen = 0
        self._deadline: float | None = None

    async def receive(self) -> Message:
        """The next message; an HTTPException once there was too much of it, or it took too long."""
        if self._is_too_big:
            raise HTTPException(413)
        self._deadline = self._deadline or asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408) from None
        self._seen += len(message.get("body", b""))
        if self._seen > self._most:
            self._is_too_big = True
            raise HTTPException(413)
        self.is_read = self.is_read or not message.get("more_body", False)
        return message
