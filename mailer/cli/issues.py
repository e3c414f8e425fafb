"""Commands over what was written: begin an issue, check it."""

from typing import TYPE_CHECKING

import typer

from mailer.cli.console import JSON, house, print_json, say

if TYPE_CHECKING:
    from mailer.editions.edition import Report

ISSUE = typer.Argument(help="The issue's folder, as in 2026-12.")


def new(context: typer.Context, issue: str = ISSUE) -> None:
    """Start an issue: a folder with a commented text to fill in."""
    from mailer.issues.skeleton import begin

    app = house(context)
    path = begin(app.loaded.resolve(app.config.content.issues), issue)
    say(f"Write in {path}, then run: mailer check {issue}")


def check(context: typer.Context, issue: str = ISSUE, json: bool = JSON) -> None:
    """Judge an issue before it goes out: errors block a send, warnings don't."""
    report = house(context).check(issue)
    if json:
        print_json(report)
    else:
        _show(report)
    if report.errors:
        raise typer.Exit(1)


def _show(report: "Report") -> None:
    from rich.markup import escape

    for kind, colour, findings in (("error", "red", report.errors), ("warning", "yellow", report.warnings)):
        for finding in findings:
            say(f"{escape(finding.where)}: [{colour}]{kind}[/] {escape(finding.message)} [dim]({finding.code})[/]")
    verdict = "it can't be sent until the errors are mended" if report.errors else "nothing blocks a send"
    say(f"{report.issue}: {_count(report.errors, 'error')}, {_count(report.warnings, 'warning')}; {verdict}")


def _count(findings: tuple[object, ...], word: str) -> str:
    return f"{len(findings)} {word}" + ("" if len(findings) == 1 else "s")
