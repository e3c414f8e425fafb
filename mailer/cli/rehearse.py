"""
`mailer rehearse`: a whole campaign to a local server that misbehaves, on a copy of the register.

Nothing leaves the machine and nothing of the publication changes: the copy, the campaign and its account live in a
temporary folder that is thrown away. Waiting times pass at once.
"""

import tempfile
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.campaigns.campaign import Campaign
    from mailer.deliveries.orders import Result
    from mailer.testing import Fault

_WHO = "rehearsal"
_LONGEST = timedelta(days=8)  # twice what a retry may take


class Faults(StrEnum):
    """How badly the server behaves."""

    NONE = "none"
    MILD = "mild"
    HARSH = "harsh"


def rehearse(
    context: typer.Context,
    issue: Annotated[str, typer.Argument(help="The issue's folder, as in 2026-12.")],
    *,
    faults: Annotated[Faults, typer.Option(help="How the server misbehaves.")] = Faults.MILD,
    segment: Annotated[list[str] | None, typer.Option("--segment", help="Only this one; again for others.")] = None,
    as_json: bool = JSON,
) -> None:
    """Try the whole campaign on a copy of the register, to a local server that misbehaves; nothing leaves."""
    from mailer.testing import sink_process

    app = house(context)
    segments = _segments(app, segment or [])
    with tempfile.TemporaryDirectory(prefix="mailer-rehearsal-") as name:
        folder = Path(name)
        log = folder / "accepted.log"
        with sink_process(log, faults=_script(faults), durable=False) as sink:
            trial = _stage(app, folder, sink.port)
            try:
                told = _carry_out(trial, issue, segments)
                accepted = [message_id for message_id, _ in sink.accepted()]
                _report(trial, told, accepted, faults, as_json=as_json)
            finally:
                trial.close()


def _script(faults: Faults) -> "list[Fault]":
    """What the server does wrong: mild is a bad day of a mail server, harsh is its worst week in one hour."""
    from mailer.testing import Fault

    mild = [
        Fault("connect", reply="421 4.3.2 busy, come back", drop=True, every=3),
        Fault("mail", reply="421 4.3.2 closing", drop=True, every=60),
        Fault("rcpt", reply="450 4.2.0 greylisted", every=10),
        Fault("rcpt", reply="550 5.1.1 no such mailbox", every=41),
    ]
    harsh = [
        Fault("mail", reply="550 5.7.1 sender not allowed, for once", nth=50),
        Fault("data", drop=True, every=37),
        Fault("dot", reply="451 4.3.0 not now", every=13),
        Fault("dot", reply="554 5.7.1 looks like spam", every=59),
        Fault("dot", drop=True, every=43),
        Fault("accepted", drop=True, every=47),
    ]
    return {Faults.NONE: [], Faults.MILD: mild, Faults.HARSH: mild + harsh}[faults]


def _stage(app: "App", folder: Path, port: int) -> "App":
    """The publication as it is, but for its database (a copy in the folder), its way out and its clock."""
    from msgspec.structs import replace

    from mailer.app import App
    from mailer.clock import SystemClock
    from mailer.deliveries.orders import Orders
    from mailer.outgoing import Outgoing
    from mailer.storage.register.copying import copy_register

    class Ahead(SystemClock):
        """The system's clock, moved on so that nobody waits for a retry."""

        by = timedelta()

        def now(self) -> datetime:
            return super().now() + self.by

    class Hasty(Outgoing):
        """What reconnects at once: the local server needs no rest."""

        def orders(self, *, number: int = 0, processes: int = 1) -> Orders:
            return replace(super().orders(number=number, processes=processes), first_wait=0.02, longest_wait=0.2)

    class Stage(App):
        """The application with that haste."""

        @cached_property
        def outgoing(self) -> Outgoing:
            return Hasty(self.loaded, self.calendar.zone)

    local = {"kind": "smtp", "host": "127.0.0.1", "port": port, "security": "none"}
    config = replace(
        app.config,
        database=replace(app.config.database, url=f"sqlite:///{folder / 'mailer.db'}"),
        # One process, for no other knows of our clock; and no pace, for nobody outside has to bear it.
        delivery=replace(app.config.delivery, transport="rehearsal", processes=1, rate=(), window="", domains={}),
        transports={"rehearsal": local},
    )
    trial = Stage(replace(app.loaded, config=config), clock=Ahead())
    copy_register(app.database, trial.database)
    return trial


def _segments(app: "App", chosen: list[str]) -> list[str]:
    from mailer.errors import Refused

    known = list(app.config.segments)
    for name in chosen:
        if name not in known:
            raise Refused(f'there is no segment "{name}"; the config has {", ".join(known)}')
    return chosen or known


def _carry_out(trial: "App", issue: str, segments: list[str]) -> "Campaign":
    """Approve, open, freeze and send; what a person and a week would do is done at once."""
    import asyncio

    from mailer import dispatch
    from mailer.errors import Refused

    if not sum(trial.ledger.forecast(segments, rules=trial.rules_of(segments)).values()):
        raise Refused(f"nobody in {', '.join(segments)} may be written to; import a list first")
    dispatch.approve(trial, issue, _WHO)
    opened = dispatch.open_campaign(trial, trial.compile(issue)[1], segments, by=_WHO)
    campaign = dispatch.begin(trial, opened, who=_WHO)
    end = trial.clock.now() + _LONGEST
    while trial.clock.now() < end:
        result = asyncio.run(dispatch.send(trial, campaign))
        if not _goes_on(trial, campaign, result):
            break
    return trial.agenda.get(campaign.id)


def _goes_on(trial: "App", campaign: "Campaign", result: "Result") -> bool:
    """Let the time pass until the next retry; go on with a campaign that was paused, as a person would."""
    from mailer.campaigns import advance
    from mailer.deliveries.orders import Ending

    now = trial.clock.now()
    if result.ending is Ending.DOWN:
        say_aside(f'paused: the server said "{result.reason}"; a person would look, and resume it')
        advance.resume(trial.agenda, trial.agenda.get(campaign.id), who=_WHO, now=now)
        return True
    if result.next_at is None:
        return False
    say_aside(f"{result.account.pending} put off until {result.next_at:%Y-%m-%d %H:%M} UTC; the clock is moved on")
    trial.clock.by += max(result.next_at - now, timedelta())  # type: ignore[attr-defined]
    return True


def say_aside(text: str) -> None:
    """Write how it goes to standard error."""
    typer.echo(f"rehearsal: {text}", err=True)


def _report(trial: "App", campaign: "Campaign", accepted: list[str], faults: Faults, *, as_json: bool) -> None:
    """The account, and how it compares with what the server says; it fails if the two differ."""
    from collections import Counter

    from mailer import dispatch
    from mailer.cli.campaigns import show_account
    from mailer.deliveries.delivery import State

    copies = Counter(accepted)
    listed = {line.id for line in trial.ledger.doubtful(campaign.id)}
    lost = unlisted = 0
    for line in trial.ledger.deliveries(campaign.id):
        count = copies[trial.message_id(campaign.id, line.recipient.subscriber_id)]
        lost += line.state is State.SENT and not count
        unlisted += count > 1 and line.id not in listed
    account = trial.ledger.account(campaign.id)
    is_kept = account.reconciled and not account.pending and not lost and not unlisted
    if as_json:
        sums = dispatch.sums(trial, campaign)
        print_json({"account": sums, "faults": faults, "lost": lost, "repeated_unlisted": unlisted, "kept": is_kept})
    else:
        show_account(trial, campaign)
        say(f"Marked as sent and not received: {lost}. Received twice and not listed: {unlisted}.")
        say("[bold]Everybody is accounted for.[/] Nothing left this machine." if is_kept else "[bold red]It failed.[/]")
    if not is_kept:
        raise typer.Exit(1)
