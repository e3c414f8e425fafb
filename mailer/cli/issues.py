"""Commands over what was written: begin an issue, check it."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.console import JSON, house, print_json, say, say_marked
from mailer.cli.options import Issue

if TYPE_CHECKING:
    from mailer.editions.edition import Finding, Report


class Format(StrEnum):
    """How a report is printed."""

    text = "text"
    github = "github"
    json = "json"


def new(context: typer.Context, issue: Issue) -> None:
    """Start an issue: a folder with a commented text to fill in."""
    from mailer.issues.skeleton import begin

    app = house(context)
    path = begin(app.loaded.resolve(app.config.content.issues), issue)
    say(f"Write in {path}, then run: mailer check {issue}")


def check(
    context: typer.Context,
    issue: Issue,
    *,
    online: Annotated[bool, typer.Option("--online", help="Ask the web whether the linked pages are there.")] = False,
    send_on: Annotated[
        datetime | None, typer.Option("--send-on", formats=["%Y-%m-%d"], help="The day of the send, if it is fixed.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How to print the findings.")] = Format.text,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="Write a page with thumbnails, too.")
    ] = None,
    json: bool = JSON,
) -> None:
    """Judge an issue before it goes out: errors block a send, warnings don't."""
    from mailer.cli.presenting import waiting
    from mailer.preflight import judge

    app = house(context)
    with waiting("asking for the linked pages" if online else "checking"):
        judged = judge(app, issue, online=online, in_browser=True, send_on=send_on.date() if send_on else None)
    if report:
        from mailer.cli.report import write_report

        with waiting("drawing the report"):
            write_report(app, judged, report)
    if json or format_ is Format.json:
        print_json(_document(judged.report))
    elif format_ is Format.github:
        _annotate(judged.report)
    else:
        _show(judged.report)
        if report:
            say(f"The report is {report}")
    if judged.report.errors:
        raise typer.Exit(1)


def _document(report: "Report") -> dict[str, Any]:
    found: dict[str, Any] = {"issue": report.issue, "errors": report.errors, "warnings": report.warnings}
    return found | ({"waived": report.waived} if report.waived else {})


def _show(report: "Report") -> None:
    for kind, colour, findings in (("error", "red", report.errors), ("warning", "yellow", report.warnings)):
        for finding in findings:
            line = f"{{where}}: [{colour}]{kind}[/] {{message}} [dim]({{code}})[/]"
            say_marked(line, where=finding.where, message=finding.message, code=finding.code)
    for waived in report.waived:
        line = "[dim]{code} is turned off and would have spoken {count} times: {reason}[/]"
        say_marked(line, code=waived.code, count=waived.count, reason=waived.reason)
    verdict = "it can't be sent until the errors are mended" if report.errors else "nothing blocks a send"
    say(f"{report.issue}: {_count(report.errors, 'error')}, {_count(report.warnings, 'warning')}; {verdict}")


def _count(findings: tuple[object, ...], word: str) -> str:
    return f"{len(findings)} {word}" + ("" if len(findings) == 1 else "s")


def _annotate(report: "Report") -> None:
    """GitHub's workflow commands: findings appear beside the lines of a pull request."""
    for kind, findings in (("error", report.errors), ("warning", report.warnings)):
        for finding in findings:
            print(_annotation(kind, finding))


def _annotation(kind: str, finding: "Finding") -> str:
    """
    One workflow command; what would end a property or the line is percent-encoded as GitHub documents it.

    >>> from mailer.editions.edition import Finding
    >>> _annotation("error", Finding("segment", "issues/2026-12/issue.md:7", "50 % wrong"))
    '::error file=issues/2026-12/issue.md,line=7,title=segment::50 %25 wrong'
    """
    file, _, line = finding.where.rpartition(":")
    place = f"file={_property(file)},line={line}" if line.isdigit() else f"file={_property(finding.where)}"
    return f"::{kind} {place},title={_property(finding.code)}::{_data(finding.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
