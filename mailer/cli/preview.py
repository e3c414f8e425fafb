"""`mailer preview`: an issue in the browser while it is written."""

from typing import Annotated

import typer

from mailer.cli.console import house


def preview(
    context: typer.Context,
    issue: Annotated[str | None, typer.Argument(help="The issue's folder, as in 2026-12.")] = None,
    *,
    components: Annotated[
        bool, typer.Option("--components", help="Show every piece with its Markdown instead of an issue.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8025,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Show an issue as it is written: every save is seen at once. For this machine alone; stop with Ctrl-C."""
    from mailer.issues import locate
    from mailer.web.preview.serving import serve

    app = house(context)
    if issue is None and not components:
        raise typer.BadParameter("name the issue to show, as in 2026-12, or say --components", param_hint="ISSUE")
    if issue and not components:
        locate(app.loaded.resolve(app.config.content.issues), issue)

    def ready(url: str) -> None:
        print(f"{'the components are' if components else f'{issue} is'} on {url} (Ctrl-C stops)", flush=True)
        if show:
            typer.launch(url)

    serve(app, None if components else issue, port, ready=ready)
