"""`mailer campaigns archive`: what is long over goes into files, its sums stay."""

from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say


def archive(
    context: typer.Context,
    *,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="SPAN", help="Over for so long, as 400d.")
    ] = "400d",
    to: Annotated[
        Path | None, typer.Option("--to", help="The folder of the files; beside the config: var/archive.")
    ] = None,
    json: bool = JSON,
) -> None:
    """Put the deliveries of finished campaigns away into compressed files; their accounts stay as they are."""
    from mailer.campaigns.calendar import parse_span
    from mailer.storage.archiving import Archive

    app = house(context)
    now = app.clock.now()
    cellar = Archive(app.database, to or app.loaded.resolve("var/archive"))
    put_away = [cellar.put_away(each, now=now) for each in cellar.ripe(now - parse_span(older_than))]
    if json:
        print_json(put_away)
        return
    for each in put_away:
        say(f"Campaign {each.campaign} of {each.issue}: {each.deliveries} deliveries are in {each.file}")
    if not put_away:
        say(f"No campaign was over for longer than {older_than}.")
