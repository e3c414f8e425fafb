"""`mailer archive`: what went out, as a web site of plain files."""

from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say

group = typer.Typer(help="What went out, as a web site of plain files.", no_args_is_help=True)


@group.callback()
def archive() -> None:
    """What went out, as a web site of plain files."""


@group.command("build")
def build(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = Path("site"),
    json: bool = JSON,
) -> None:
    """Write every issue that went out, the index, feed, sitemap and privacy notice; any web server can show them."""
    from mailer.web.archive import build as build_site

    built = build_site(house(context), out)
    if json:
        print_json(built)
    elif built.issues:
        issues = "1 issue" if len(built.issues) == 1 else f"{len(built.issues)} issues"
        say(f"{issues}, {len(built.files)} files in {out}; open {out / 'index.html'}")
    else:
        say(f"No issue has gone out yet; {out / 'index.html'} says so.")
