"""
The guard around every page: headers that browsers obey, and a limit on what anybody may send.

It wraps the whole application, so that an error page is as guarded as any other.
"""

import asyncio
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailer.tokens import new_secret

FORM_BYTES: Final = 64 * 1024
BODY_SECONDS: Final = 15.0
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def page_policy(nonce: str) -> str:
    """The Content-Security-Policy of our own pages: nothing but what carries the nonce."""
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


class Guard:
    """Adds the security headers, gives each request a nonce, and refuses bodies that are too big or too slow."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of the application inside."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = new_secret()
        scope.setdefault("state", {})["nonce"] = nonce

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), scope, message["status"], nonce)
            await send(message)

        await self.app(scope, _limited(scope, receive), send_guarded)


def _add_headers(headers: MutableHeaders, scope: Scope, status: int, nonce: str) -> None:
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", page_policy(nonce))
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if status in (408, 413):  # what is left of the body isn't worth reading
        headers["Connection"] = "close"


def _limited(scope: Scope, receive: Receive) -> Receive:
    """`receive` that stops at `FORM_BYTES` in all and `BODY_SECONDS` in all."""
    announced = Headers(scope=scope).get("content-length", "0")
    too_big = HTTPException(413)
    seen = 0
    deadline: float | None = None

    async def receive_limited() -> Message:
        nonlocal seen, deadline
        if not announced.isdigit() or int(announced) > FORM_BYTES:
            raise too_big
        now = asyncio.get_running_loop().time()
        deadline = deadline or now + BODY_SECONDS
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408) from None
        seen += len(message.get("body", b""))
        if seen > FORM_BYTES:
            raise too_big
        return message

    return receive_limited
