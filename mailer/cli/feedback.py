"""`mailer feedback`: what came back, and what nobody could attribute."""

from typing import Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say
from mailer.cli.presenting import print_rows

group = typer.Typer(help="What came back: bounces, complaints, wishes to leave.", no_args_is_help=True)
Number = Annotated[int, typer.Argument(help="The event's number, as `mailer feedback list` shows it.")]


@group.command("list")
def list_feedback(
    context: typer.Context,
    outcome: Annotated[
        str | None,
        typer.Option("--outcome", help="Only recorded, suppressed, unsubscribed or unattributed ones."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")] = 100,
    *,
    json: bool = JSON,
) -> None:
    """List the latest events, and count them by what became of them."""
    from mailer.dispatch import local_time

    app = house(context)
    book = app.mailroom.book
    entries, counts = book.entries(outcome=outcome, limit=limit), book.counts()
    if json:
        print_json({"counts": counts, "events": entries})
        return
    headings = ("#", "when", "what", "address", "reason", "", "outcome")
    rows = [
        (
            one.id,
            local_time(app, one.at),
            one.happening,
            one.address,
            one.reason,
            "hard" if one.hard else "",
            one.outcome,
        )
        for one in entries
    ]
    if rows:
        print_rows(headings, rows)
    say(", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing has come back yet")


@group.command("show")
def show(context: typer.Context, number: Number, *, json: bool = JSON) -> None:
    """Show one event and its evidence."""
    from mailer.dispatch import local_time
    from mailer.errors import Refused

    app = house(context)
    found = app.mailroom.book.entry(number)
    if found is None:
        raise Refused(f"there is no event {number}; see `mailer feedback list`")
    entry, evidence = found
    text = evidence.decode("utf-8", "replace")
    if json:
        print_json({"event": entry, "evidence": text})
        return
    for name in entry.__struct_fields__:
        value = local_time(app, entry.at) if name == "at" else getattr(entry, name)
        print(f"{name.replace('_', ' '):14} {'' if value is None else value}".rstrip())
    print(f"\n{text}" if text else "the evidence was dropped when it came of age")


@group.command("reprocess")
def reprocess(context: typer.Context, *, json: bool = JSON) -> None:
    """Try again on what could not be attributed, and drop evidence that has come of age."""
    mailroom = house(context).mailroom
    outcomes = mailroom.reprocess()
    dropped = mailroom.drop_old_evidence()
    if json:
        print_json({"outcomes": outcomes, "evidence_dropped": dropped})
        return
    say(", ".join(f"{count} {name}" for name, count in outcomes.items()) or "nothing waits to be attributed")
