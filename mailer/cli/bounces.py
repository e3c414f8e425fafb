"""`mailer bounces`: takes returned mail in, or says what it understands of it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.console import JSON, print_json, table

if TYPE_CHECKING:
    from mailer.feedback.finding import Understanding


def bounces(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Messages, mboxes, Maildirs; none: standard input.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Only say what is understood; no database.")] = False,
    *,
    json: bool = JSON,
) -> None:
    """Take returned mail in: files, mailboxes, or one message from a pipe."""
    if explain:
        _explain(files or [], as_json=json)
        return
    from mailer.errors import OperatorError

    raise OperatorError("only `mailer bounces --explain` is there yet")


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
            {"address": found.address, "status": found.status, "reason": found.reason, "hard": found.hard}
            for found in understood.recipients
        ],
    }
