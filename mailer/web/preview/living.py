"""The living page of components: the templates' every piece, drawn anew whenever a template or the theme is saved."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from markupsafe import escape
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from mailer.app import App
from mailer.editions.components import components_page
from mailer.editions.theme import Theme
from mailer.errors import AuthorError
from mailer.web.preview.watch import EVERY

_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A reload keeps the place by itself: the page is as long as it was.
_RELOAD: Final = "new EventSource('/events').addEventListener('message', () => location.reload());\n"


def components(app: App) -> Starlette:
    """The application that shows them, for this machine alone."""

    async def page(_: Request) -> Response:
        def drawn() -> str:
            issue, compiled = app.press.components()
            return components_page(
                issue, compiled.editions[0], app.imprint, Theme.load(app.press.theme), live="/live.js"
            )

        try:
            return HTMLResponse(await run_in_threadpool(drawn), headers={"Content-Security-Policy": _POLICY})
        except AuthorError as problem:
            told = f"<!DOCTYPE html><meta charset=utf-8><script src=/live.js></script><pre>{escape(str(problem))}</pre>"
            return HTMLResponse(told, status_code=422, headers={"Content-Security-Policy": _POLICY})

    async def live(_: Request) -> Response:
        return PlainTextResponse(_RELOAD, media_type="text/javascript")

    async def events(_: Request) -> Response:
        return StreamingResponse(_saves(app), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return Starlette(
        routes=[Route("/", page), Route("/live.js", live), Route("/events", events)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)],
    )


async def _saves(app: App) -> AsyncIterator[str]:
    """A word whenever a file changes; the stream ends with the page that reads it."""
    before = await run_in_threadpool(_signature, app)
    while True:
        await asyncio.sleep(EVERY)
        now = await run_in_threadpool(_signature, app)
        if now != before:
            before = now
            yield "data: saved\n\n"


def _signature(app: App) -> list[tuple[str, int]]:
    files = [app.press.theme, *(path for name in ("brief", "showcase") for path in _files(app.press.templates / name))]
    return [(str(path), path.stat().st_mtime_ns) for path in files if path.exists()]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.name.startswith((".", "~")))
