"""
`/l/<link>` and `/l/<link>/<reader>`: on to where a link of an issue leads, counted on the way.

It leads to the address that was stored when the campaign began, and nowhere else. No cookie is set and no address of
the reader's is kept; `<reader>` stands only in the messages of those who said yes to it. The reader goes on whatever
becomes of the figure.
"""

import asyncio
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailer.errors import MailerError
from mailer.feedback.scanners import Click
from mailer.log import get_logger
from mailer.storage.clicks import Followed
from mailer.web import tickets
from mailer.web.desk import Desk, desk_of
from mailer.web.failures import InvalidLink
from mailer.web.network import network_of

_PATIENCE: Final = 1.0  # seconds that a reader is kept waiting for a figure
_PREFETCH: Final = ("purpose", "sec-purpose", "x-purpose", "x-moz")
log = get_logger("mailer.web")


async def follow(request: Request) -> Response:
    """Count a link and lead on."""
    desk = desk_of(request)
    number = tickets.link_of(desk.signer, request.path_params["token"])
    link = None if number is None else await run_in_threadpool(desk.tally.link, number)
    if link is None:
        raise InvalidLink
    try:
        async with asyncio.timeout(_PATIENCE):
            await desk.tally.count(link, _click(request, link, _reader(desk, request, link)))
    except (MailerError, TimeoutError) as problem:
        log.warning("a click was not counted in time", action="click", link=link.id, why=type(problem).__name__)
    return RedirectResponse(link.url, 302)


def _reader(desk: Desk, request: Request, link: Followed) -> int:
    """Whom the link names, if it names one of its own campaign; 0: nobody."""
    token = request.path_params.get("reader")
    if token is None:
        return 0
    bearer = tickets.bearer_of(desk.signer, tickets.CLICKER, token)
    if bearer is None or bearer.campaign != link.campaign_id:
        raise InvalidLink
    return bearer.subscriber_id


def _click(request: Request, link: Followed, reader: int) -> Click:
    said = " ".join(request.headers.get(name, "") for name in _PREFETCH).casefold()
    return Click(
        link=link.id,
        edition=(link.campaign_id, link.segment, link.language),
        of=link.of,
        whence=f"reader {reader}" if reader else network_of(request),
        at=desk_of(request).clock.monotonic(),
        method=request.method,
        agent=request.headers.get("user-agent", ""),
        is_prefetch="prefetch" in said or "preview" in said,
        is_trap=link.is_trap,
        reader=reader,
    )
