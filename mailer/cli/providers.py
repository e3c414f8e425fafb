"""`mailer providers`: whether a way out takes us."""

from typing import Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say

group = typer.Typer(help="The ways out that the config names.", no_args_is_help=True)


@group.callback()
def ways_out() -> None:
    """The ways out that the config names."""


@group.command()
def check(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="One of the config's transports.")],
    *,
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="ADDRESS", help="Instead of the staff; again for others.")
    ] = None,
    as_json: bool = JSON,
) -> None:
    """Send a real letter to yourself by one way out, and say what the other side answered."""
    import asyncio

    from mailer.deliveries.direct import hand_over
    from mailer.deliveries.transport import TransportError
    from mailer.errors import OperatorError

    app = house(context)
    way = app.outgoing.transport(name)
    now = app.clock.now()
    letters = [
        app.notice(
            reader,
            subject=f"[{app.config.publication.name}] test of {name}",
            text=f"This letter was sent by [transports.{name}] at {now:%Y-%m-%d %H:%M} UTC. The way is open.",
            occasion=f"check-{int(now.timestamp() * 1000)}-{number}",
        )
        for number, reader in enumerate(app.staff(to or []))
    ]
    try:
        outcomes = asyncio.run(hand_over(letters, way))
    except TransportError as problem:
        raise OperatorError(f"{name} could not send the test: {problem.reply}; see [transports.{name}]") from None
    if as_json:
        print_json({"transport": name, "messages": outcomes})
    else:
        for outcome in outcomes:
            say(f"{'sent' if outcome.is_sent else 'not sent'} to {outcome.recipient}: {outcome.reply}")
    if not all(outcome.is_sent for outcome in outcomes):
        raise typer.Exit(1)
