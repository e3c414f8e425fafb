"""`mailer test-send`: an issue to the staff, marked as a test, outside every campaign's account."""

from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say
from mailer.cli.options import Issue, chosen_segments

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.messages.message import Message


def send_test(
    context: typer.Context,
    issue: Issue,
    *,
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="ADDRESS", help="Instead of the staff; again for others.")
    ] = None,
    segment: Annotated[
        list[str] | None,
        typer.Option("--segment", help="As this segment gets it; again for others. All: --segment all."),
    ] = None,
    language: Annotated[str | None, typer.Option("--language", help="The edition in this language.")] = None,
    transport: Annotated[str | None, typer.Option("--transport", help="Another of the config's transports.")] = None,
    as_json: bool = JSON,
) -> None:
    """Send an issue to the staff (or to the addresses given), marked as a test."""
    import asyncio

    from mailer.deliveries.direct import hand_over
    from mailer.deliveries.transport import TransportError
    from mailer.errors import OperatorError

    app = house(context)
    messages = _messages(app, issue, to=to or [], segments=segment or [], language=language)
    way = app.outgoing.transport(transport)
    try:
        outcomes = asyncio.run(hand_over(messages, way))
    except TransportError as problem:
        raise OperatorError(
            f'the transport "{way.name}" could not send the test: {problem.reply}; see [transports.{way.name}]'
        ) from None
    if as_json:
        print_json({"issue": issue, "transport": way.name, "messages": outcomes})
    else:
        for outcome in outcomes:
            say(f"{'sent' if outcome.is_sent else 'not sent'} to {outcome.recipient}: {outcome.reply}")
    if not all(outcome.is_sent for outcome in outcomes):
        raise typer.Exit(1)


def _messages(app: "App", issue: str, *, to: list[str], segments: list[str], language: str | None) -> "list[Message]":
    """One test message for each reader and segment."""
    from mailer.audience.recipient import Recipient
    from mailer.errors import Refused

    _, compiled = app.compile(issue)
    if language and language not in {edition.language for edition in compiled.editions}:
        raise Refused(f'the issue {issue} is not written in "{language}"; add issue.{language}.md')
    app.shelf.put(compiled, now=app.clock.now())  # from there the web serves the pictures that the test shows
    chosen = _segments(app, segments)
    spoken = language or app.config.publication.language
    readers = app.staff(to)
    return [
        app.test_message(
            compiled.edition(segment, spoken),
            Recipient(subscriber_id=0, email=reader.address, name=reader.name, segment=segment, language=spoken),
        )
        for segment in chosen
        for reader in readers
    ]


def _segments(app: "App", asked: list[str]) -> list[str]:
    """As asked; all of them by that word, and without a word the first."""
    if not asked:
        return list(app.config.segments)[:1]
    return chosen_segments(app, None if "all" in asked else asked)
