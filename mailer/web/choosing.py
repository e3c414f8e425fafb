"""
`/p/<token>`: what a reader receives; `/m/<token>`: that, and everything we hold about them.

The first link stands in every message and goes with every forwarded copy: through it one can change what arrives, and
see no more than a masked hint of whose it is. Name, data and erasure open through the second, which is posted to the
address itself and lasts a day.
"""

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from mailer.storage.preferences import Choices, Reader
from mailer.web import forms, leaving, speech, tickets
from mailer.web.desk import Desk, desk_of
from mailer.web.failures import InvalidLink
from mailer.web.mask import masked
from mailer.web.speech import marked

CLICKS: Final = marked(
    "Acepto que se guarde, junto a mi nombre, qué enlaces de los números sigo. "
    "No cambia lo que recibo. Si quito la marca, se borra lo guardado."
)
_CLICKS_VERSION: Final = hashlib.sha256(CLICKS.encode()).hexdigest()[:12]
_LONGEST_PAUSE: Final = timedelta(days=366)


async def show(request: Request) -> Response:
    """What the reader receives, to be changed."""
    if tickets.is_trial(request.path_params["token"]):
        return desk_of(request).pages.show(request, "trial.html")
    return await _page(request, await _reader(request))


async def show_all(request: Request) -> Response:
    """The same, with the name and what else only the reader may see."""
    return await _page(request, await _owner(request), is_owner=True)


async def act(request: Request) -> Response:
    """Change what the reader receives, let them leave, or post the link to the rest."""
    if tickets.is_trial(request.path_params["token"]):
        return await show(request)
    desk, reader, form = desk_of(request), await _reader(request), await forms.read(request)
    if form.get("action") == "link":
        await leaving.post_own_link(request, desk, reader)
        return await _page(request, reader, done="link")
    return await _apply(request, reader, form, is_owner=False)


async def act_all(request: Request) -> Response:
    """Change anything, hand out everything, or erase it."""
    desk, reader, form = desk_of(request), await _owner(request), await forms.read(request)
    if form.get("action") == "download":
        held = await run_in_threadpool(desk.rights.everything, reader.id, who="reader")
        return Response(
            msgspec.json.format(msgspec.json.encode(held), indent=2),
            media_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="mis-datos.json"'},
        )
    if form.get("action") == "erase":
        if form.get("sure") != "yes":
            return await _page(
                request,
                reader,
                is_owner=True,
                problems={"sure": marked("Marque la casilla para confirmarlo")},
                status=422,
            )
        await run_in_threadpool(desk.rights.erase, reader.id, who="reader")
        return desk.pages.show(request, "erased.html", own_language=reader.language)
    return await _apply(request, reader, form, is_owner=True)


async def _apply(request: Request, reader: Reader, form: FormData, *, is_owner: bool) -> Response:
    desk = desk_of(request)
    if form.get("action") == "leave":
        gone = await desk.part_with(reader.id, "preferences")
        return await _page(request, gone or reader, is_owner=is_owner)
    if form.get("action") == "return":
        back = await leaving.come_back(request, desk, reader.id)
        return back or await _page(request, reader, is_owner=is_owner)
    if form.get("action") != "save" or reader.is_gone:
        return await _page(request, reader, is_owner=is_owner)
    choices, problems = _choices(desk, reader, form, is_owner=is_owner)
    if choices is None:
        return await _page(request, reader, is_owner=is_owner, problems=problems, status=422)
    changed = await run_in_threadpool(desk.preferences.change, reader.id, choices)
    return await _page(request, changed or reader, is_owner=is_owner, done="save")


def _choices(desk: Desk, reader: Reader, form: FormData, *, is_owner: bool) -> tuple[Choices | None, dict[str, str]]:
    problems: dict[str, str] = {}
    segments = tuple(name for name in _offered(desk, reader) if name in forms.lines(form, "segment"))
    if not segments:
        problems["segment"] = marked("Elija al menos una lista, o deje de recibirlo todo con el botón de abajo")
    paused_until = None
    if asked := forms.line(form, "pause"):
        paused_until = _pause(desk, asked)
        if paused_until is None:
            problems["pause"] = marked("Escriba un día entre mañana y dentro de un año, como 2026-12-31")
    if problems:
        return None, problems
    language = speech.choose(forms.line(form, "language"), reader.language)
    name = forms.line(form, "name", 120) if is_owner else None
    keeps_clicks = form.get("clicks") == "yes" if is_owner and form.get("asked") == "clicks" else None
    choices = Choices(language, segments, paused_until, name, keeps_clicks=keeps_clicks, clicks_text=_CLICKS_VERSION)
    return choices, {}


def _pause(desk: Desk, asked: str) -> datetime | None:
    """Midnight at the start of the day asked for, where the publication lives; None if that is no day to come."""
    try:
        day = date.fromisoformat(asked)
        until = datetime.combine(day, time(), ZoneInfo(desk.house.config.publication.timezone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    now = desk.clock.now()
    return until if now < until <= now + _LONGEST_PAUSE else None


def _offered(desk: Desk, reader: Reader) -> tuple[str, ...]:
    """The segments that a reader may tick: the open ones, and those they are in."""
    known = desk.house.config.segments
    return tuple(name for name in known if (known[name].open and not known[name].rule) or name in reader.segments)


async def _reader(request: Request) -> Reader:
    desk = desk_of(request)
    bearer = tickets.bearer_of(desk.signer, tickets.PREFERENCES, request.path_params["token"])
    return await _find(desk, bearer and bearer.subscriber_id)


async def _owner(request: Request) -> Reader:
    desk = desk_of(request)
    return await _find(desk, tickets.owner_of(desk.signer, request.path_params["token"], desk.clock.now()))


async def _find(desk: Desk, number: int | None) -> Reader:
    reader = None if number is None else await run_in_threadpool(desk.preferences.find, number)
    if reader is None:
        raise InvalidLink
    return reader


async def _page(
    request: Request,
    reader: Reader,
    *,
    is_owner: bool = False,
    done: str = "",
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    desk = desk_of(request)
    if reader.is_gone and not is_owner:
        return leaving.show_left(request, desk, reader, done=done)
    zone = ZoneInfo(desk.house.config.publication.timezone)
    now = desk.clock.now()
    keeps_clicks = is_owner and await run_in_threadpool(desk.preferences.keeps_clicks, reader.id)
    is_paused = reader.paused_until is not None and reader.paused_until > now
    return desk.pages.show(
        request,
        "choose.html",
        status=status,
        own_language=reader.language,
        reader=reader,
        hint=masked(reader.email),
        is_owner=is_owner,
        done=done,
        problems=problems or {},
        segments=_offered(desk, reader),
        clicks=CLICKS if keeps_clicks or (is_owner and desk.house.config.feedback.tracking == "individual") else "",
        keeps_clicks=keeps_clicks,
        pause=reader.paused_until.astimezone(zone).date() if reader.paused_until and is_paused else None,
        first_day=(now.astimezone(zone) + timedelta(days=1)).date(),
        last_day=(now.astimezone(zone) + _LONGEST_PAUSE - timedelta(days=1)).date(),
    )
