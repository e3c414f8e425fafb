"""`mailer deliveries`: who got an issue, when, and what the server said."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.console import JSON, house
from mailer.cli.options import Issue
from mailer.cli.presenting import print_json_lines, print_rows

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.deliveries.delivery import Delivery


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
    campaigns = app.agenda.campaigns(issue)
    for campaign in campaigns:
        if file := file_of(app.database, campaign.id):
            print(f"mailer: the deliveries of campaign {campaign.id} were put away in {file}", file=sys.stderr)
    lines = (line for campaign in campaigns for line in app.ledger.deliveries(campaign.id, wanted))
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
