"""`mailer register …`: what the register may keep, and what it says of itself."""

from typing import Annotated, Any

import typer

from mailer.cli.console import JSON, house, print_json, say

group = typer.Typer(
    help="Keep the register no longer than it may be kept, and say what is in it.", no_args_is_help=True
)

By = Annotated[str | None, typer.Option("--by", help="Who orders it; your login name if left out.")]


@group.command()
def tidy(
    context: typer.Context,
    *,
    days: Annotated[int | None, typer.Option(help="Days after leaving; as the config says if left out.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say who many it would be, and change nothing.")] = False,
    by: By = None,
    as_json: bool = JSON,
) -> None:
    """Shrink the data of those who left long ago to a seal that keeps lists from bringing them back."""
    from datetime import timedelta

    from mailer.cli.presenting import operator

    app = house(context)
    kept = app.config.retention.unsubscribed_days if days is None else days
    gone = app.register.long_gone(app.clock.now() - timedelta(days=kept))
    if not dry_run:
        for number in gone:
            app.rights.erase(number, who=by or operator())
    if as_json:
        print_json({"days": kept, "people": len(gone), "erased": 0 if dry_run else len(gone)})
    else:
        did = "would be shrunk" if dry_run else "were shrunk"
        say(f"{len(gone)} people who left more than {kept} days ago {did} to a seal.")


@group.command()
def report(context: typer.Context, as_json: bool = JSON) -> None:
    """Print the page of processing activities that the law asks for."""
    import msgspec

    app = house(context)
    holding = app.register.holding()
    publication = app.config.publication
    document: dict[str, Any] = {
        "controller": publication.organization,
        "responsible": publication.publisher,
        "contact": publication.reply_to,
        "purpose": f"to send {publication.name} by e-mail",
        "data": ["address", "name", "honorific", "position", "institution", "country", "language"],
        "recipients_of_data": "the publication's own mail service; nobody else",
        "kept_after_leaving_days": app.config.retention.unsubscribed_days,
        "segments": list(app.config.segments),
        "at": app.clock.now(),
    } | msgspec.structs.asdict(holding)
    if as_json:
        print_json(document)
        return
    say(f"[bold]Processing of personal data: {publication.name}[/bold]")
    for key, value in document.items():
        shown = ", ".join(f"{name}: {many}" for name, many in value.items()) if isinstance(value, dict) else value
        shown = ", ".join(shown) if isinstance(shown, list) else shown
        print(f"{key.replace('_', ' '):26} {shown}")
