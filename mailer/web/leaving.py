"""
`/u/<token>`: leaving, in one click for a mail program (RFC 8058), in one for a person, and back again for a day.

A mail program's POST is answered with a bare 200, most often before it gets here (`one_click`). A person's button does
the same and shows what was left.
"""

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mailer.storage.preferences import UNDO, Reader
from mailer.web import forms, one_click, tickets
from mailer.web.desk import Desk, desk_of
from mailer.web.failures import InvalidLink
from mailer.web.mask import masked
from mailer.web.tickets import Bearer

_LINKS_A_DAY: Final = 3


async def show(request: Request) -> Response:
    """Ask whether the reader wants to leave; change nothing."""
    desk = desk_of(request)
    if tickets.is_trial(request.path_params["token"]):
        return desk.pages.show(request, "trial.html")
    reader = await run_in_threadpool(desk.preferences.find, _bearer(request).subscriber_id)
    if reader is None:
        raise InvalidLink
    if reader.is_gone:
        return show_left(request, desk, reader)
    return desk.pages.show(request, "leave.html", own_language=reader.language, hint=masked(reader.email))


async def act(request: Request) -> Response:
    """Let the reader leave, or take it back."""
    desk, body = desk_of(request), await request.body()
    form = await forms.read(request)
    is_one_click = "list-unsubscribe" in {name.lower() for name in form} or one_click.says_one_click(body)
    if tickets.is_trial(request.path_params["token"]):
        return one_click.heard() if is_one_click else await show(request)
    bearer = _bearer(request)
    if is_one_click:
        await _leave(desk, bearer, "one-click")
        return one_click.heard()
    if form.get("action") == "leave":
        return show_left(request, desk, await _leave(desk, bearer, "page"))
    if form.get("action") == "return":
        return await come_back(request, desk, bearer.subscriber_id) or await show(request)
    reader = await run_in_threadpool(desk.preferences.find, bearer.subscriber_id)
    if form.get("action") == "link" and reader and reader.is_gone:
        await post_own_link(request, desk, reader)
        return show_left(request, desk, reader, done="link")
    return await show(request)


async def come_back(request: Request, desk: Desk, subscriber_id: int) -> Response | None:
    """Undo a departure of the last day and show what is received again; None if it can't be undone."""
    reader = await run_in_threadpool(desk.preferences.come_back, subscriber_id)
    if reader is None:
        return None
    return desk.pages.show(
        request,
        "returned.html",
        own_language=reader.language,
        hint=masked(reader.email),
        segments=reader.segments,
    )


async def post_own_link(request: Request, desk: Desk, reader: Reader) -> None:
    """Post the link to a reader that opens all that is theirs; who left may see and erase it as well."""
    limit = desk.limit("mine", str(reader.id), _LINKS_A_DAY)
    await run_in_threadpool(desk.signups.owe, "mine", reader, desk.pages.language(request, reader.language), limit)


def show_left(request: Request, desk: Desk, reader: Reader, *, done: str = "") -> Response:
    """What the reader left, with the way back while there is one, and the way to what is kept of them."""
    undo_until = reader.left_at + UNDO if reader.left_at else None
    return desk.pages.show(
        request,
        "left.html",
        own_language=reader.language,
        hint=masked(reader.email),
        segments=reader.left,
        done=done,
        undo_until=undo_until if undo_until and desk.clock.now() <= undo_until else None,
    )


def _bearer(request: Request) -> Bearer:
    bearer = tickets.bearer_of(desk_of(request).signer, tickets.UNSUBSCRIBE, request.path_params["token"])
    if bearer is None:
        raise InvalidLink
    return bearer


async def _leave(desk: Desk, bearer: Bearer, how: str) -> Reader:
    reader = await desk.part_with(bearer.subscriber_id, f"{how} campaign:{bearer.campaign}")
    if reader is None:
        raise InvalidLink
    return reader
