"""Approve, schedule, send; campaigns and their accounts; the service."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say, table
from mailer.cli.presenting import operator, print_json_lines, print_rows
from mailer.cli.sending import carry_out, conclude

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.campaigns.campaign import Campaign
    from mailer.deliveries.delivery import Delivery

group = typer.Typer(help="Campaigns: their accounts, and what to do with them.", no_args_is_help=True)

Issue = Annotated[str, typer.Argument(help="The issue's folder, as in 2026-12.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="The campaign's number.")]
Segments = Annotated[list[str] | None, typer.Option("--segment", help="Only this segment; again for others.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]
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
        _segments(app, segment),
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
        campaign = _open(app, issue, _segments(app, segment), yes=yes, again=again, excluded=excluded)
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
        _ask(f"Campaign {campaign.id} is paused ({campaign.reason}). Go on with it?", yes=yes)
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
    _ask(f"Send {issue} to {sum(expected.values())} recipients ({people}){' AGAIN' if again else ''}?", yes=yes)
    opened = dispatch.open_campaign(app, compiled, segments, by=operator(), again=again, excluded=excluded)
    return dispatch.begin(app, opened, who=operator())


def _segments(app: "App", chosen: list[str] | None) -> list[str]:
    from mailer.errors import OperatorError

    known = list(app.config.segments)
    if unknown := [name for name in chosen or [] if name not in known]:
        if unknown[0] in app.register.rules():
            raise OperatorError(
                f"the rule {unknown[0]} has no edition of its own; give it one in {app.loaded.path.name}: "
                f"[segments.NAME] with a title and rule = 'segment = \"{unknown[0]}\"'"
            )
        raise OperatorError(f"there is no segment {unknown[0]}; the config has {', '.join(known)}")
    return [name for name in known if not chosen or name in chosen]


def _excluded(app: "App", chosen: list[str] | None) -> list[str]:
    from mailer.errors import OperatorError

    known = [*app.config.segments, *app.register.rules()]
    if unknown := [name for name in chosen or [] if name not in known]:
        raise OperatorError(f"there is no segment {unknown[0]} to leave out; there are {', '.join(known)}")
    return list(chosen or [])


def _ask(question: str, *, yes: bool) -> None:
    from mailer.errors import Refused

    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{question} There is nobody to answer; add --yes")
    if not typer.confirm(question, err=True):
        raise Refused("nothing was sent")


@group.command("list")
def list_campaigns(context: typer.Context, *, json: bool = JSON) -> None:
    """All campaigns, oldest first."""
    from mailer import dispatch

    app = house(context)
    found = [dispatch.sums(app, campaign) for campaign in app.agenda.campaigns()]
    if json:
        print_json(found)
        return
    rows = [
        (each.id, each.issue, each.state, ", ".join(each.segments), each.counts["recipients"], each.counts["sent"])
        for each in found
    ]
    table(("ID", "Issue", "State", "Segments", "Recipients", "Sent"), rows, figures=(0, 4, 5))


@group.command()
def show(context: typer.Context, campaign: Number, *, json: bool = JSON) -> None:
    """The account of a campaign."""
    from mailer import dispatch

    app = house(context)
    found = app.agenda.get(campaign)
    if json:
        print_json(dispatch.sums(app, found))
    else:
        show_account(app, found)


def show_account(app: "App", campaign: "Campaign", *, is_trial: bool = False) -> None:
    """Write the account of a campaign for a person."""
    from itertools import islice

    import msgspec

    from mailer import dispatch

    accounts = app.ledger.accounts(campaign.id)
    account = accounts.pop("")
    say(f"Campaign {campaign.id} of {campaign.issue}: [bold]{campaign.state}[/]")
    if campaign.reason:
        say(f"  {campaign.reason}")
    if words := dispatch.outlook(app, campaign, account)[1]:
        say(f"  {words}")
    rate, done_at = dispatch.speed(app, campaign, account)
    if done_at:
        say(f"  {rate:.1f} messages a second over all; at that rate done at {dispatch.local_time(app, done_at)}")
    totals = msgspec.structs.asdict(account)
    # A column of noughts is left out: what is not there did not happen.
    columns = [name for name, number in totals.items() if number or name in {"recipients", "sent"}]
    rows = [(name, *(getattr(each, column) for column in columns)) for name, each in accounts.items()]
    rows.append(("all", *(totals[column] for column in columns)))
    table(("Segment", *(name.capitalize() for name in columns)), rows, figures=range(1, len(columns) + 1))
    if came_back := app.ledger.feedback(campaign.id):
        say(f"Came back: {', '.join(f'{number} {happening}' for happening, number in came_back.items())}")
    if not account.reconciled:
        say("[bold red]The sums don't reconcile.[/] Please keep the database as it is and report this.")
    for delivery in islice(app.ledger.doubtful(campaign.id), 20):
        say(f"  perhaps twice: {delivery.recipient.email} ({delivery.state}): {delivery.reply}")
    if account.uncertain and not is_trial:
        say(f"Settle the uncertain ones with: mailer campaigns resolve {campaign.id} --resend or --accept")


@group.command()
def pause(context: typer.Context, campaign: Number, *, json: bool = JSON) -> None:
    """Stop a campaign within a second; what is in flight lands."""
    from mailer.campaigns import advance

    app = house(context)
    found = app.agenda.get(campaign)
    reason = f"paused by {operator()}"
    advance.pause(app.agenda, found, reason=reason, who=operator(), now=app.clock.now())
    _tell(app, campaign, as_json=json)


@group.command()
def resume(context: typer.Context, campaign: Number, *, json: bool = JSON) -> None:
    """Let a paused campaign go on."""
    from mailer.campaigns import advance

    app = house(context)
    advance.resume(app.agenda, app.agenda.get(campaign), who=operator(), now=app.clock.now())
    _tell(app, campaign, as_json=json)


@group.command()
def cancel(context: typer.Context, campaign: Number, *, yes: Yes = False, json: bool = JSON) -> None:
    """End a campaign before its end; it can't be taken up again."""
    from mailer.campaigns import advance

    app = house(context)
    found = app.agenda.get(campaign)
    _ask(f"Cancel campaign {campaign} of {found.issue} for good?", yes=yes)
    advance.cancel(app.agenda, app.agenda.get(campaign), who=operator(), now=app.clock.now())
    _tell(app, campaign, as_json=json)


@group.command()
def resolve(
    context: typer.Context,
    campaign: Number,
    *,
    resend: Annotated[bool, typer.Option("--resend", help="Send them again: a second copy is possible.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Take them as sent.")] = False,
    email: Annotated[list[str] | None, typer.Option("--email", help="Only this one; again for others.")] = None,
    json: bool = JSON,
) -> None:
    """Settle the uncertain deliveries of a campaign, all or by address."""
    from mailer.deliveries.delivery import State

    if resend == accept:
        raise typer.BadParameter("say either --resend or --accept")
    app = house(context)
    app.agenda.get(campaign)  # refused if there is none
    to = State.PENDING if resend else State.SENT
    number = app.ledger.resolve(campaign, to, emails=email or [], who=operator(), now=app.clock.now())
    if not json:
        say(f"{number} deliveries {'will be sent again' if resend else 'count as sent'}.")
    _tell(app, campaign, as_json=json)


def _tell(app: "App", campaign: int, *, as_json: bool) -> None:
    from mailer import dispatch

    found = app.agenda.get(campaign)
    if as_json:
        print_json(dispatch.sums(app, found))
    else:
        say(f"Campaign {campaign} of {found.issue} is {found.state}.")


def deliveries(
    context: typer.Context,
    issue: Issue,
    *,
    state: Annotated[str | None, typer.Option("--state", help="Only those in this state.")] = None,
    json: bool = JSON,
) -> None:
    """Who got an issue, when, and what the server said."""
    from mailer.deliveries.delivery import State
    from mailer.errors import OperatorError
    from mailer.storage.archiving import file_of

    app = house(context)
    try:
        wanted = State(state) if state else None
    except ValueError:
        raise OperatorError(f"there is no state {state}; there are {', '.join(State)}") from None
    for campaign in app.agenda.campaigns(issue):
        if file := file_of(app.database, campaign.id):
            print(f"mailer: the deliveries of campaign {campaign.id} were put away in {file}", file=sys.stderr)
    lines = (line for campaign in app.agenda.campaigns(issue) for line in app.ledger.deliveries(campaign.id, wanted))
    if json:
        print_json_lines(_document(app, line) for line in lines)
        return
    rows = ((line.recipient.email, line.recipient.segment, line.state, line.attempts, line.reply) for line in lines)
    print_rows(("Address", "Segment", "State", "Attempts", "The server said"), rows)


def _document(app: "App", line: "Delivery") -> dict[str, object]:
    return {
        "email": line.recipient.email,
        "segment": line.recipient.segment,
        "state": str(line.state),
        "message_id": app.message_id(line.campaign_id, line.recipient.subscriber_id),
        "attempts": line.attempts,
        "reply": line.reply,
        "updated_at": line.updated_at,
        "campaign": line.campaign_id,
        "uncertain_at": line.uncertain_at,
        "transport": line.transport,
        "feedback": line.feedback,
    }


def run(
    context: typer.Context,
    *,
    schedule_only: Annotated[
        bool, typer.Option("--schedule-only", help="Leave the sending to `mailer worker` (PostgreSQL).")
    ] = False,
) -> None:
    """Run the service: the monthly send, scheduled campaigns, retries. Stops cleanly on SIGTERM."""
    from mailer import worker

    worker.run(house(context), sends=not schedule_only)
