"""The public pages as one ASGI application: which path goes where."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from mailer.app import App
from mailer.web import choosing, failures, joining, leaving
from mailer.web.desk import Desk
from mailer.web.guard import Guard
from mailer.web.postbox import Postbox

ROUTES = [
    Route("/health", lambda _: PlainTextResponse("ok\n"), name="health"),
    Route("/u/{token}", leaving.show),
    Route("/u/{token}", leaving.act, methods=["POST"]),
    Route("/p/{token}", choosing.show),
    Route("/p/{token}", choosing.act, methods=["POST"]),
    Route("/m/{token}", choosing.show_all),
    Route("/m/{token}", choosing.act_all, methods=["POST"]),
    Route("/subscribe", joining.show),
    Route("/subscribe", joining.ask, methods=["POST"]),
    Route("/c/{token}", joining.show_confirm),
    Route("/c/{token}", joining.confirm, methods=["POST"]),
    Route("/privacy", lambda request: request.app.state.desk.pages.show(request, "privacy.html")),
]


def create(house: App) -> ASGIApp:
    """The application for one publication, the guard around it."""
    desk = Desk(house)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001
        async with Postbox(desk).working():
            yield

    app = Starlette(
        routes=ROUTES, lifespan=lifespan, exception_handlers={HTTPException: failures.say, 500: failures.say}
    )
    app.state.desk = desk
    return Guard(app)
