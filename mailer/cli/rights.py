"""What the law gives people over their data, from the command line: a ground, a copy, an erasure."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.console import JSON, house, print_json, say
from mailer.cli.options import By, Yes, demand_yes
from mailer.cli.presenting import operator

if TYPE_CHECKING:
    from mailer.app import App

_DAYS = 15  # LOPDP art. 13-15: within fifteen days

Asked = Annotated[
    datetime | None,
    typer.Option("--asked-on", formats=["%Y-%m-%d"], help="The day the person asked; today if left out."),
]


AskedBy = Annotated[
    str, typer.Option("--asked-by", help="Who asked: the person, or somebody for them; never an address.")
]


def ground(
    context: typer.Context,
    address: str,
    basis: Annotated[str, typer.Argument(help="consent, public function or contract.")],
    *,
    source: Annotated[str, typer.Option(help="How it came about: a form, a letter, an office.")] = "by hand",
    text: Annotated[str, typer.Option("--text", help="The version of the text that was agreed to.")] = "",
    proof: Annotated[str, typer.Option(help="Where it can be seen.")] = "",
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """Record on what ground somebody is written to; what was recorded before stays."""
    register = house(context).register
    register.state_ground(address, basis, source=source, text_version=text, proof=proof, who=by or operator())
    if as_json:
        print_json({"email": address, "basis": basis})
    else:
        say(f"Recorded: {address}, {basis}.")


def tag(
    context: typer.Context,
    tag: Annotated[str, typer.Argument(help='A word of the office\'s own, for rules: tag = "sister-city".')],
    addresses: Annotated[list[str], typer.Argument(help="Whom to put it on.")],
    *,
    off: Annotated[bool, typer.Option("--off", help="Take it off instead.")] = False,
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """Put a tag on people, or take it off; rules ask for it."""
    from mailer.errors import Refused

    word = tag.strip().lower()
    if not word or len(word) > 64:  # noqa: PLR2004 — the column's width
        raise Refused(f"{tag!r} is no tag; write a word of up to 64 letters")
    changed = house(context).register.tag(addresses, word, off=off, who=by or operator())
    if as_json:
        print_json({"tag": word, "off": off, "changed": changed})
    else:
        say(f"{word}: {'taken off' if off else 'put on'} {changed} of {len(addresses)}.")


def succeed(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="The address of who leaves the post.")],
    new: Annotated[str, typer.Argument(help="The address of who takes it over.")],
    *,
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """Move a post to another address: it waits, unwritten to, until its owner says yes to a letter."""
    from functools import partial

    from mailer.storage.signups import Signups, Wish

    app = house(context)
    segments = app.register.succeed(old, new, who=by or operator())
    person = app.register.find(new)
    assert person is not None
    if person.state == "unconfirmed":
        language = person.language or app.config.publication.language
        wish = Wish(email=person.email, name="", language=language, segments=tuple(segments), consent="succession")
        Signups(app.database, app.clock, partial(app.signer.seals, "erased")).ask(wish, [])
    if as_json:
        print_json({"old": old, "new": new, "segments": segments, "state": person.state})
    else:
        say(f"{new} takes over from {old} in {', '.join(segments) or 'no segment'}, and is asked to confirm.")


def export(
    context: typer.Context,
    address: str,
    *,
    out: Annotated[Path | None, typer.Option("--out", help="A file; standard output if left out.")] = None,
    asked_on: Asked = None,
    asked_by: AskedBy = "the person",
    by: By = None,
) -> None:
    """Write everything held about a person as JSON: their right to see it."""
    import msgspec

    from mailer.errors import OperatorError

    app = house(context)
    who = by or operator()
    term = _term(app, asked_on)
    held = app.rights.everything(_number(app, address), who=who, asked=_asked(asked_by, term))
    document = {"answered": term, "held": held}
    if out is None:
        print_json(document)
        return
    try:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    except OSError as problem:
        raise OperatorError(f"{out} can't be written ({problem.strerror}); name another file with --out") from None
    say(f"Everything held about {address} is in {out}. {_days_left(document['answered'])}")


def erase(
    context: typer.Context,
    address: str,
    *,
    asked_on: Asked = None,
    asked_by: AskedBy = "the person",
    yes: Yes = False,
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """Remove a person for good, and keep a seal so that no list brings them back."""
    app = house(context)
    number = _number(app, address)
    demand_yes(f"Erase {address} for good? This can't be undone.", yes=yes)
    term = _term(app, asked_on)
    app.rights.erase(number, who=by or operator(), asked=_asked(asked_by, term))
    if as_json:
        print_json({"email": address, "erased": True} | term)
    else:
        say(f"{address} is erased; no list can bring it back. {_days_left(term)}")


def _number(app: "App", address: str) -> int:
    from mailer.errors import Refused

    person = app.register.find(address)
    if person is None:
        erased = " (it was erased)" if app.rights.is_erased(address) else ""
        raise Refused(f"nobody in the register has the address {address}{erased}; see `mailer subscribers list`")
    return person.id


def _asked(by: str, term: dict[str, Any]) -> str:
    """Who asked and when, for the audit, which must not keep the address of somebody erased."""
    from mailer.errors import Refused

    if "@" in by:
        raise Refused("--asked-by must not hold an address: the record of an erasure would keep it; write a name")
    return f"asked by {by} on {term['asked_on']}, due on {term['due_on']}"


def _term(app: "App", asked_on: datetime | None) -> dict[str, Any]:
    """When the person asked, until when the law wants an answer, and how many days of that are left."""
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from mailer.errors import Refused

    today = app.clock.now().astimezone(ZoneInfo(app.config.publication.timezone)).date()
    asked = asked_on.date() if asked_on else today
    if asked > today:
        raise Refused(f"--asked-on {asked} is still to come; give the day on which the person asked")
    due = asked + timedelta(days=_DAYS)
    return {"asked_on": asked, "due_on": due, "days_left": (due - today).days}


def _days_left(term: dict[str, Any]) -> str:
    left = term["days_left"]
    if left < 0:
        return f"The {_DAYS} days of the law ended {-left} days ago."
    return f"{left} of the law's {_DAYS} days were left."
