"""`mailer doctor`: is everything ready for a send?"""

import typer

from mailer.cli.console import JSON, house, print_json, say_marked


def doctor(context: typer.Context, json: bool = JSON) -> None:
    """Examine config, database, lists, transport, clock and DNS: each is well, or says what to do."""
    from mailer.doctor import Health, examine

    colours = {Health.OK: "green", Health.WARNING: "yellow", Health.FAILED: "red"}
    findings = []
    for finding in examine(house(context)):
        findings.append(finding)
        if not json:
            health = f"[{colours[finding.health]}]{finding.health:<8}[/]"
            say_marked(f"{health} {finding.subject:<10} {{message}}", message=finding.message)
    if json:
        print_json(findings)
    if any(finding.health is Health.FAILED for finding in findings):
        raise typer.Exit(1)
