"""
`mailer rehearse`: a whole campaign to a local server that misbehaves, on a copy of the register.

Nothing leaves the machine and nothing of the publication changes: the copy, the campaign and its account live in a
temporary folder that is thrown away. Waiting times pass at once.
"""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say, say_marked
from mailer.cli.options import Issue, Segments, chosen_segments

if TYPE_CHECKING:
    from mailer.campaigns.campaign import Campaign
    from mailer.rehearsal import Stage


class Faults(StrEnum):
    """How badly the server behaves."""

    NONE = "none"
    MILD = "mild"
    HARSH = "harsh"


def rehearse(
    context: typer.Context,
    issue: Issue,
    *,
    faults: Annotated[Faults, typer.Option(help="How the server misbehaves.")] = Faults.MILD,
    segment: Segments = None,
    as_json: bool = JSON,
) -> None:
    """Try the whole campaign on a copy of the register, to a local server that misbehaves; nothing leaves."""
    from mailer.rehearsal import SCRIPTS, Stage, carry_out
    from mailer.testing import sink_process

    app = house(context)
    segments = chosen_segments(app, segment)
    with tempfile.TemporaryDirectory(prefix="mailer-rehearsal-") as name:
        folder = Path(name)
        with sink_process(folder / "accepted.log", faults=SCRIPTS[faults], durable=False) as sink:
            stage = Stage(app, folder, sink.port)
            try:
                campaign = carry_out(stage, issue, segments, _tell)
                _report(stage, campaign, [message_id for message_id, _ in sink.accepted()], faults, as_json=as_json)
            finally:
                stage.close()


def _tell(text: str) -> None:
    typer.echo(f"rehearsal: {text}", err=True)


def _report(stage: "Stage", campaign: "Campaign", accepted: list[str], faults: Faults, *, as_json: bool) -> None:
    """The account, and how it compares with what the server says; it fails if the two differ."""
    from mailer import dispatch
    from mailer.cli.campaigns import show_account
    from mailer.rehearsal import compare

    lost, unlisted = compare(stage, campaign, accepted)
    account = stage.ledger.account(campaign.id)
    is_kept = account.reconciled and not account.pending and not lost and not unlisted
    if as_json:
        sums = dispatch.sums(stage, campaign)
        print_json({"account": sums, "faults": faults, "lost": lost, "repeated_unlisted": unlisted, "kept": is_kept})
    else:
        show_account(stage, campaign, is_trial=True)
        say(f"Marked as sent and not received: {lost}. Received twice and not listed: {unlisted}.")
        say_marked(
            "[bold]Everybody is accounted for.[/] Nothing left this machine." if is_kept else "[bold red]It failed.[/]"
        )
    if not is_kept:
        raise typer.Exit(1)
