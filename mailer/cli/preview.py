"""`mailer preview`: an issue in the browser while it is written."""

from typing import Annotated

import typer

from mailer.cli.console import house
from mailer.cli.issues import ISSUE


def preview(
    context: typer.Context,
    issue: Annotated[str, ISSUE],
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8025,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Show an issue as it is written: every save is seen at once. For this machine alone; stop with Ctrl-C."""
    from mailer.issues import locate
    from mailer.web.preview.serving import serve

    app = house(context)
    locate(app.loaded.resolve(app.config.content.issues), issue)

    def ready(url: str) -> None:
        print(f"{issue} is on {url} (Ctrl-C stops)", flush=True)
        if show:
            typer.launch(url)

    serve(app, issue, port, ready=ready)
