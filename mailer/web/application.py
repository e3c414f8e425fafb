"""The public pages as one ASGI application: which path goes where."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mailer.app import App
from mailer.errors import MailerError
from mailer.web import choosing, clicking, failures, joining, leaving, reading, webhooks
from mailer.web.desk import Desk, desk_of
from mailer.web.guard import Guard
from mailer.web.one_click import OneClick
from mailer.web.postbox import Postbox
from mailer.web.squeezing import Squeezing


async def health(request: Request) -> Response:
    """Say `ok` when the database answers, 503 when it doesn't."""
    try:
        await run_in_threadpool(desk_of(request).preferences.find, 0)
    except MailerError:
        return PlainTextResponse("the database does not answer\n", status_code=503)
    return PlainTextResponse("ok\n")


async def privacy(request: Request) -> Response:
    """How data is looked after (LOPDP)."""
    page = desk_of(request).pages.show(request, "privacy.html")
    page.headers["X-Robots-Tag"] = "all"
    return page


async def robots(request: Request) -> Response:  # noqa: ARG001 - a handler's signature
    """What search engines are asked to leave alone."""
    return PlainTextResponse(reading.ROBOTS, headers={"Cache-Control": "public, max-age=86400"})


ROUTES = [
    Route("/u/{token}", leaving.show),
    Route("/u/{token}", leaving.act, methods=["POST"]),
    Route("/l/{token}", clicking.follow),
    Route("/l/{token}/{reader}", clicking.follow),
    Route("/", reading.archive),
    Route("/brief/{issue}/", reading.issue),
    Route("/brief/{issue}/{language}/", reading.translation),
    Route("/brief/{issue}/v{number:int}/{language}", reading.version),
    Route("/brief/{issue}/{name}.{language}.pdf", reading.paper),
    Route("/brief/{issue}/{segment}/{language}", reading.edition),
    Route("/images/{name}", reading.picture),
    Route("/files/{name}", reading.file),
    Route("/feed.xml", reading.feed),
    Route("/search.js", reading.search),
    Route("/health", health),
    Route("/robots.txt", robots),
    Route("/p/{token}", choosing.show),
    Route("/p/{token}", choosing.act, methods=["POST"]),
    Route("/m/{token}", choosing.show_all),
    Route("/m/{token}", choosing.act_all, methods=["POST"]),
    Route("/subscribe", joining.show),
    Route("/subscribe", joining.ask, methods=["POST"]),
    Route("/c/{token}", joining.show_confirm),
    Route("/c/{token}", joining.confirm, methods=["POST"]),
    Route("/privacy", privacy),
    Route(webhooks.PATH + "{provider}", webhooks.receive, methods=["POST"]),
]


def create(house: App) -> Guard:
    """The application for one publication, the guard around it."""
    desk = Desk(house)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001 - Starlette's signature
        async with Postbox(desk).working():
            yield

    app = Starlette(
        routes=ROUTES,
        lifespan=lifespan,
        middleware=[Middleware(OneClick, desk=desk), Middleware(Squeezing)],
        exception_handlers={HTTPException: failures.say, 500: failures.say},
    )
    app.state.desk = desk
    return Guard(app, {webhooks.PATH: webhooks.WEBHOOK_BYTES})
