"""`mailer campaigns`: their accounts, and what to do with them."""

from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say, say_marked, table
from mailer.cli.options import Yes, demand_yes
from mailer.cli.presenting import operator

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.campaigns.campaign import Campaign

group = typer.Typer(help="Campaigns: their accounts, and what to do with them.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="ID", help="The campaign's number.")]


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
    say_marked("Campaign {id} of {issue}: [bold]{state}[/]", id=campaign.id, issue=campaign.issue, state=campaign.state)
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
        say_marked("[bold red]The sums don't reconcile.[/] Please keep the database as it is and report this.")
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
    demand_yes(f"Cancel campaign {campaign} of {found.issue} for good?", yes=yes)
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
    from mailer.campaigns import advance
    from mailer.deliveries.delivery import State

    if resend == accept:
        raise typer.BadParameter("say either --resend or --accept")
    app = house(context)
    now = app.clock.now()
    found = app.agenda.get(campaign)
    to = State.PENDING if resend else State.SENT
    number = app.ledger.resolve(campaign, to, emails=email or [], who=operator(), now=now)
    if resend and number:
        advance.reopen(app.agenda, found, who=operator(), now=now)
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
