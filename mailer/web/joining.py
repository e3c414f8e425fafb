"""
`/subscribe` and `/c/<token>`: joining, in two steps that only the owner of the address can take together.

Whatever is typed, the answer is the same: a letter is on its way if it may be. Whether the address is known, was
written to today already, or may never be written to is between us and its owner.
"""

import hashlib
from datetime import timedelta
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from mailer.address import InvalidAddress, address_key, domain_of, parse_address
from mailer.storage.signups import Limit, Wish
from mailer.web import forms, puzzle, speech, tickets
from mailer.web.desk import Desk, desk_of
from mailer.web.failures import InvalidLink
from mailer.web.mask import masked
from mailer.web.network import network_of
from mailer.web.speech import marked

CONSENT: Final = marked(
    "Acepto recibir el boletín por correo electrónico y que mis datos se traten solo para enviármelo. "
    "Puedo retirar este consentimiento en cualquier momento con un clic."
)
CONSENT_VERSION: Final = hashlib.sha256(CONSENT.encode()).hexdigest()[:12]
TRAP: Final = "telefax"  # a field that people don't see: whoever fills it in gets the usual answer and no letter
_HUMAN_HASTE: Final = timedelta(seconds=3)
# A day's letters to one address, from one network, to one domain; without the sum done, far fewer.
_PER_ADDRESS: Final = 1
_PER_NETWORK: Final = {True: 20, False: 4}
_PER_DOMAIN: Final = {True: 200, False: 40}


async def show(request: Request) -> Response:
    """Show the form of a wish to join."""
    return _form(request)


async def ask(request: Request) -> Response:
    """Take a wish to join; say what is wrong with it, or that a letter comes."""
    desk = desk_of(request)
    form = await forms.read(request)
    wish, problems = _read(desk, form, request)
    if wish is None:
        return _form(request, form, problems, status=422)
    drawn, now = forms.line(form, "puzzle"), desk.clock.now()
    answer = puzzle.check(desk.signer, drawn, forms.line(form, "number"), now)
    if answer is None:
        return _form(
            request,
            form,
            {"form": marked("La página llevaba mucho tiempo abierta. Pulse el botón otra vez.")},
            status=422,
        )
    if not answer.is_solved and now - answer.drawn_at < _HUMAN_HASTE:
        return _form(request, form, {"form": marked("Un momento: pulse el botón otra vez.")}, status=422, drawn=drawn)
    if not form.get(TRAP):
        await run_in_threadpool(desk.signups.ask, wish, _limits(desk, request, wish, answer))
    return desk.pages.show(request, "asked.html", own_language=wish.language, email=wish.email)


async def show_confirm(request: Request) -> Response:
    """Ask for the last press of a button; change nothing."""
    desk, number = desk_of(request), _signup(request)
    wish = await run_in_threadpool(desk.signups.pending, number)
    if wish is None:
        raise InvalidLink
    return desk.pages.show(
        request, "confirm.html", own_language=wish.language, hint=masked(wish.email), segments=wish.segments
    )


async def confirm(request: Request) -> Response:
    """Put the reader into the register."""
    desk, number = desk_of(request), _signup(request)
    form = await forms.read(request)
    if form.get("action") != "confirm":
        return await show_confirm(request)
    reader = await run_in_threadpool(desk.signups.confirm, number)
    if reader is None:
        raise InvalidLink
    preferences = tickets.preferences_token(desk.signer, reader.id)
    return desk.pages.show(
        request, "joined.html", own_language=reader.language, reader=reader, preferences=f"/p/{preferences}"
    )


def _signup(request: Request) -> int:
    number = tickets.signup_of(desk_of(request).signer, request.path_params["token"])
    if number is None:
        raise InvalidLink
    return number


def _read(desk: Desk, form: FormData, request: Request) -> tuple[Wish | None, dict[str, str]]:
    problems: dict[str, str] = {}
    email = forms.line(form, "email", 320)
    try:
        email = parse_address(email)
    except InvalidAddress:
        problems["email"] = marked("Escriba una dirección de correo, como nombre@institucion.example")
    open_segments = desk.pages.open_segments()
    segments = tuple(name for name in open_segments if name in forms.lines(form, "segment"))
    if len(open_segments) == 1:
        segments = tuple(open_segments)
    if not segments:
        problems["segment"] = marked("Elija al menos una lista")
    if not form.get("consent"):
        problems["consent"] = marked("Sin su consentimiento no podemos escribirle")
    if problems:
        return None, problems
    language = speech.choose(forms.line(form, "language"), desk.pages.language(request))
    name = forms.line(form, "name", 120)
    return Wish(email=email, name=name, language=language, segments=segments, consent=CONSENT_VERSION), {}


def _limits(desk: Desk, request: Request, wish: Wish, answer: puzzle.Answer) -> list[Limit]:
    key = address_key(wish.email)
    limits = [
        desk.limit("address", key, _PER_ADDRESS),
        desk.limit("network", network_of(request), _PER_NETWORK[answer.is_solved]),
        desk.limit("domain", domain_of(key), _PER_DOMAIN[answer.is_solved]),
    ]
    return [*limits, desk.limit("puzzle", answer.salt, 1, puzzle.GOOD_FOR)]


def _form(
    request: Request,
    form: FormData | None = None,
    problems: dict[str, str] | None = None,
    *,
    status: int = 200,
    drawn: str = "",
) -> Response:
    desk = desk_of(request)
    form = form or FormData()
    typed: dict[str, Any] = {name: forms.line(form, name, 320) for name in ("email", "name", "language", "consent")}
    return desk.pages.show(
        request,
        "join.html",
        status=status,
        own_language=typed["language"],
        typed=typed,
        ticked=forms.lines(form, "segment"),
        problems=problems or {},
        segments=desk.pages.open_segments(),
        consent=CONSENT,
        trap=TRAP,
        puzzle=drawn or puzzle.draw(desk.signer, desk.clock.now()),
        effort=puzzle.EFFORT,
    )
