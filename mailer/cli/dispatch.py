"""`mailer approve`, `schedule` and `send`: the orders by which an issue goes out."""

from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.campaigns import show_account
from mailer.cli.console import JSON, house, print_json, say
from mailer.cli.options import Issue, Segments, Yes, chosen_segments, demand_yes
from mailer.cli.presenting import operator
from mailer.cli.sending import carry_out, conclude

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.campaigns.campaign import Campaign

Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", metavar="SEGMENT", help="Leave out who is in it; again for others.")
]
Again = Annotated[bool, typer.Option("--again", help="Send it to segments that have had it.")]


def approve(
    context: typer.Context,
    issue: Issue,
    *,
    by: Annotated[str, typer.Option(help="Who signs it off.")],
    json: bool = JSON,
) -> None:
    """Sign an issue off as it stands: any later edit voids it."""
    from mailer import dispatch

    approval = dispatch.approve(house(context), issue, by)
    if json:
        print_json(approval)
    else:
        say(f"{by} approved {issue}, content {approval.content_hash[:12]}. Any edit from now on voids it.")


def schedule(
    context: typer.Context,
    issue: Issue,
    *,
    at: Annotated[str | None, typer.Option("--at", metavar="WHEN", help='As "2022-11-30 09:00".')] = None,
    segment: Segments = None,
    exclude: Exclude = None,
    again: Again = False,
    json: bool = JSON,
) -> None:
    """Set when an approved issue goes out; without --at, at the monthly hour of its month."""
    from mailer import dispatch
    from mailer.campaigns.calendar import parse_when

    app = house(context)
    compiled = dispatch.prepare(app, issue)
    when = parse_when(at, app.config.publication.timezone) if at else app.monthly_hour(issue)
    planned = dispatch.schedule(
        app,
        compiled,
        chosen_segments(app, segment),
        at=when,
        by=operator(),
        again=again,
        excluded=_excluded(app, exclude),
    )
    if json:
        print_json(dispatch.sums(app, planned))
    else:
        local = when.astimezone(app.calendar.zone)
        say(f"Campaign {planned.id}: {issue} goes out on {local:%Y-%m-%d at %H:%M}, if `mailer run` is running.")


def send(
    context: typer.Context,
    issue: Issue,
    *,
    segment: Segments = None,
    exclude: Exclude = None,
    yes: Yes = False,
    again: Again = False,
    json: bool = JSON,
) -> None:
    """Send an approved issue now, or go on with what an earlier send left."""
    from mailer import dispatch

    app = house(context)
    campaign = _unfinished(app, issue, segment or [], yes=yes) if not again else None
    if campaign is None:
        excluded = _excluded(app, exclude)
        campaign = _open(app, issue, chosen_segments(app, segment), yes=yes, again=again, excluded=excluded)
    result = carry_out(app, campaign)
    if json:
        print_json(dispatch.sums(app, app.agenda.get(campaign.id)))
    else:
        show_account(app, app.agenda.get(campaign.id))
    conclude(app, campaign, result)


def _unfinished(app: "App", issue: str, chosen: list[str], *, yes: bool) -> "Campaign | None":
    """The campaign of the issue, to one of the chosen segments if any are, that an earlier send left."""
    from mailer import dispatch
    from mailer.campaigns import advance
    from mailer.campaigns.campaign import State

    going = {State.APPROVED, State.SENDING, State.PAUSED}
    left = [
        each
        for each in app.agenda.campaigns(issue)
        if each.state in going and (not chosen or not set(chosen).isdisjoint(each.segments))
    ]
    if not left:
        return None
    campaign = left[-1]
    if campaign.state is State.PAUSED:
        demand_yes(f"Campaign {campaign.id} is paused ({campaign.reason}). Go on with it?", yes=yes)
        return advance.resume(app.agenda, campaign, who=operator(), now=app.clock.now())
    return dispatch.begin(app, campaign, who=operator())


def _open(app: "App", issue: str, segments: list[str], *, yes: bool, again: bool, excluded: list[str]) -> "Campaign":
    from mailer import dispatch
    from mailer.campaigns import advance
    from mailer.errors import Refused

    app.outgoing.orders()  # what is wrong with [delivery] is said before anybody is frozen
    compiled = dispatch.prepare(app, issue)
    advance.may_open(app.agenda, issue, compiled.content_hash, segments, again=again)
    expected = app.ledger.forecast(segments, rules=app.rules_of([*segments, *excluded]), excluded=excluded)
    if not sum(expected.values()):
        raise Refused(
            f"nobody in {', '.join(segments)} may be written to; import a list with `mailer subscribers import`"
        )
    people = ", ".join(f"{expected.get(name, 0)} {name}" for name in segments)
    people += f"; without {', '.join(excluded)}" if excluded else ""
    demand_yes(f"Send {issue} to {sum(expected.values())} recipients ({people}){' AGAIN' if again else ''}?", yes=yes)
    opened = dispatch.open_campaign(app, compiled, segments, by=operator(), again=again, excluded=excluded)
    return dispatch.begin(app, opened, who=operator())


def _excluded(app: "App", chosen: list[str] | None) -> list[str]:
    from mailer.errors import OperatorError

    known = [*app.config.segments, *app.register.rules()]
    if unknown := [name for name in chosen or [] if name not in known]:
        raise OperatorError(f"there is no segment {unknown[0]} to leave out; there are {', '.join(known)}")
    return list(chosen or [])
