"""`mailer bounces`: takes returned mail in, or says what it understands of it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mailer.cli.console import JSON, house, print_json, say, table

if TYPE_CHECKING:
    from collections import Counter

    from mailer.feedback.finding import Understanding

_TRY_AGAIN: Final = 75  # EX_TEMPFAIL of sysexits.h


def bounces(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Messages, mboxes, Maildirs; none: standard input.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Only say what is understood; no database.")] = False,
    mailbox: Annotated[
        bool, typer.Option("--mailbox", help="Take in what lies unread in the config's mailbox.")
    ] = False,
    *,
    json: bool = JSON,
) -> None:
    """Take returned mail in: files, mailboxes, or one message from a pipe."""
    if explain:
        _explain(files or [], as_json=json)
        return
    if mailbox:
        _present(house(context).mailroom.collect_mail(), as_json=json)
        return
    if files:
        _take_in(context, files, as_json=json)
        return
    _take_from_pipe(context, as_json=json)


def _take_from_pipe(context: typer.Context, *, as_json: bool) -> None:
    """Take one message in, or let whoever pipes it keep it: a mail server would return it for any other status."""
    try:
        _take_in(context, [], as_json=as_json)
    except Exception as problem:  # whatever it was, the mail is not recorded
        print(f"mailer: {problem}", file=sys.stderr)
        raise typer.Exit(_TRY_AGAIN) from problem


def _take_in(context: typer.Context, files: list[Path], *, as_json: bool) -> None:
    from collections import Counter

    from mailer.feedback.mailboxes import messages_in

    mailroom = house(context).mailroom
    outcomes: Counter[str] = Counter()
    mails = (raw for path in files for _, raw in messages_in(path)) if files else iter([sys.stdin.buffer.read()])
    for raw in mails:
        outcomes.update([str(one) for one in mailroom.take_in(raw)] or ["none"])
    _present(outcomes, as_json=as_json)


def _present(outcomes: "Counter[str]", *, as_json: bool) -> None:
    if as_json:
        print_json(dict(outcomes))
        return
    say(", ".join(f"{count} {name}" for name, count in sorted(outcomes.items())) or "no new mail")


def _explain(files: list[Path], *, as_json: bool) -> None:
    from mailer.feedback.mailboxes import messages_in
    from mailer.feedback.understand import understand

    if files:
        understood = [(name, understand(raw)) for path in files for name, raw in messages_in(path)]
    else:
        understood = [("-", understand(sys.stdin.buffer.read()))]
    if as_json:
        print_json([_document(name, one) for name, one in understood])
        return
    rows: list[tuple[str, ...]] = [
        (name, one.kind, found.address, found.status, found.reason, "hard" if found.hard else "")
        for name, one in understood
        for found in one.recipients
    ]
    rows += [(name, one.kind, "", "", "", "") for name, one in understood if not one.recipients]
    table(("file", "kind", "address", "status", "reason", ""), rows)


def _document(name: str, understood: "Understanding") -> dict[str, Any]:
    return {
        "file": name,
        "kind": understood.kind,
        "recipients": [
            {
                "address": found.address,
                "status": found.status,
                "reason": found.reason,
                "hard": found.hard,
                "passed_on": found.passed_on,
            }
            for found in understood.recipients
        ],
    }
