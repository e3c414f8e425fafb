"""`mailer suppressions …`: addresses and domains that must not be written to."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say, table
from mailer.cli.options import By
from mailer.cli.presenting import operator

if TYPE_CHECKING:
    from mailer.audience.suppression import Reason

group = typer.Typer(help="Addresses and domains that must not be written to, and why.", no_args_is_help=True)

Why = Annotated[str, typer.Option("--reason", help="bounce, complaint, asked or legal.")]


@group.command()
def add(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="An address, or a domain with an @ before it.")],
    *,
    reason: Why = "asked",
    note: Annotated[str, typer.Option(help="Why, in a few words.")] = "",
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day it ends; never if left out.")
    ] = None,
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """Suppress an address or a domain."""
    from zoneinfo import ZoneInfo

    app = house(context)
    zone = ZoneInfo(app.config.publication.timezone)
    end = until.replace(tzinfo=zone) if until else None
    added = app.suppressions.add(address, _reason(reason), who=by or operator(), note=note, until=end)
    if as_json:
        print_json({"address": address, "added": added})
    else:
        say(f"{address} is suppressed." if added else f"{address} was suppressed already.")


@group.command()
def lift(
    context: typer.Context,
    address: str,
    *,
    why: Annotated[str, typer.Option("--why", help="Why it may be written to again.")],
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """End a suppression."""
    lifted = house(context).suppressions.lift(address, who=by or operator(), why=why)
    if as_json:
        print_json({"address": address, "lifted": lifted})
    else:
        say(f"{address} may be written to again." if lifted else f"{address} was not suppressed.")


@group.command("list")
def list_(
    context: typer.Context,
    ended: Annotated[bool, typer.Option("--ended", help="Also those whose time has ended.")] = False,
    as_json: bool = JSON,
) -> None:
    """List the suppressions."""
    found = house(context).suppressions.all(also_ended=ended)
    if as_json:
        from mailer.cli.presenting import print_json_lines

        print_json_lines(found)
        return
    rows = (
        (each.address, each.reason, f"{each.since:%Y-%m-%d}", f"{each.until:%Y-%m-%d}" if each.until else "", each.note)
        for each in found
    )
    table(("address", "reason", "since", "until", "note"), rows)


@group.command("import")
def import_(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="An address a line, or the CSV or JSON of SES, SendGrid or this program.")
    ],
    *,
    reason: Why = "bounce",
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """Suppress every address of a list; one that is suppressed already stays as it is."""
    from mailer.audience.suppression import read_suppressions

    listed, wrong = read_suppressions(file, _reason(reason))
    added = house(context).suppressions.add_all(listed, who=by or operator())
    if as_json:
        rejects = [{"line": line, "reason": why} for line, why in wrong]
        print_json({"listed": len(listed), "added": added, "known": len(listed) - added, "rejected": rejects})
        return
    say(f"{added} suppressed, {len(listed) - added} were already, {len(wrong)} lines are no address:")
    for line, why in wrong[:20]:
        print(f"  line {line}: {why}")


@group.command()
def export(
    context: typer.Context,
    form: Annotated[str, typer.Option("--format", help="csv, plain, ses or sendgrid.")] = "csv",
) -> None:
    """Write the suppressions to standard output: a CSV, an address a line, or as a service reads them."""
    from mailer.audience.suppression import FORMATS, written
    from mailer.errors import Refused

    for known in FORMATS:
        if known == form:
            sys.stdout.writelines(written(house(context).suppressions.all(), known))
            return
    raise Refused(f"{form!r} is no format of lists; it is one of {', '.join(FORMATS)}")


def _reason(text: str) -> "Reason":
    from mailer.audience.suppression import REASONS
    from mailer.errors import Refused

    for reason in REASONS:
        if reason == text:
            return reason
    raise Refused(f"{text!r} is no reason; it is one of {', '.join(REASONS)}")
