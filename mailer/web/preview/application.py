"""The preview as an ASGI application: read-only, for this machine alone, nothing from anywhere else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from mailer.editions.edition import Edition
from mailer.errors import AuthorError
from mailer.language import words
from mailer.web.preview.studio import Studio
from mailer.web.preview.views import VIEWS, seen
from mailer.web.preview.watch import Watch

_HERE: Final = Path(__file__).parent
_TYPES: Final = {"preview.css": "text/css", "preview.js": "text/javascript"}
# The page runs its own script and nothing else; a mail runs none, and without pictures it gets none.
_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MAIL_POLICY: Final = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src {pictures}; frame-ancestors 'self'"


async def front(request: Request) -> Response:
    """The page around the edition."""
    studio = request.app.state.studio
    jinja = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
    publication = studio.app.config.publication
    segments = {
        name: segment.title.get(publication.language) or name for name, segment in studio.app.config.segments.items()
    }
    page = jinja.get_template("preview.html").render(
        issue=studio.issue,
        publication=publication,
        language=publication.language,
        views=VIEWS,
        segments=segments,
        _=words(publication.language),
    )
    return HTMLResponse(page, headers=_headers(_PAGE_POLICY))


async def asset(request: Request) -> Response:
    """The page's own style and script."""
    name = request.url.path.removeprefix("/")
    return Response((_HERE / name).read_bytes(), media_type=_TYPES[name], headers=_headers(_PAGE_POLICY))


async def theme(request: Request) -> Response:
    """The theme's tokens as CSS variables, which the preview's page wears too."""
    return Response(await run_in_threadpool(request.app.state.studio.theme), media_type="text/css")


async def edition(request: Request) -> Response:
    """The edition itself, as one of the views shows it to one reader; what stops it, with 422."""
    studio, view = request.app.state.studio, request.path_params["view"]
    segment, language = request.path_params["segment"], request.path_params["language"]
    reader = request.query_params.get("reader", "0")
    if view not in VIEWS or segment not in studio.app.config.segments:
        return PlainTextResponse("there is no such view\n", status_code=404)

    def drawn() -> tuple[str, Edition]:
        compiled = studio.edition(segment, language)
        values = studio.values(compiled, int(reader) if reader.isdecimal() else 0)
        return seen(compiled, view, values, studio.app.imprint), compiled

    try:
        page, compiled = await run_in_threadpool(drawn)
    except AuthorError as problem:
        return PlainTextResponse(str(problem), status_code=422)
    pictures = "'none'" if view == "images-off" else "'self' data:"
    # A header is ASCII, which is what the standard library's JSON is.
    told = {"subject": compiled.subject, "preheader": compiled.preheader, "bytes": len(compiled.html.encode())}
    return HTMLResponse(page, headers=_headers(_MAIL_POLICY.format(pictures=pictures)) | {"X-Inbox": json.dumps(told)})


async def image(request: Request) -> Response:
    """A picture of the edition."""
    found = request.app.state.studio.image(request.path_params["name"])
    if found is None:
        return PlainTextResponse("there is no such picture\n", status_code=404)
    return Response(found.content, media_type=found.media_type, headers={"Cache-Control": "max-age=3600"})


async def verdict(request: Request) -> Response:
    """What the check said last."""
    return Response(msgspec.json.encode(request.app.state.watch.verdict), media_type="application/json")


async def readers(request: Request) -> Response:
    """Readers to look over the shoulder of: those asked for, or the two extremes."""
    studio, asked = request.app.state.studio, request.query_params.get("q", "")
    segment = request.path_params["segment"]
    extremes = "extremes" in request.query_params
    found = await run_in_threadpool(studio.extremes if extremes else lambda name: studio.readers(name, asked), segment)
    return Response(msgspec.json.encode(found), media_type="application/json", headers=_headers(_PAGE_POLICY))


async def events(request: Request) -> Response:
    """Tell the page when to look again."""
    stream = request.app.state.watch.events()
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _headers(policy: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def create(studio: Studio) -> Starlette:
    """The application for one issue. A name other than this machine's is refused, whoever resolves it to 127.0.0.1."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.studio, app.state.watch = studio, Watch(studio)
        watching = asyncio.create_task(app.state.watch.run())
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching

    return Starlette(
        routes=[
            Route("/", front),
            *(Route(f"/{name}", asset) for name in _TYPES),
            Route("/theme.css", theme),
            Route("/edition/{segment}/{language}/{view}", edition),
            Route("/images/{name}", image),
            Route("/verdict", verdict),
            Route("/readers/{segment}", readers),
            Route("/events", events),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)],
        lifespan=lifespan,
    )
