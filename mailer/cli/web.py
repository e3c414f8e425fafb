"""`mailer serve`: the pages that readers see."""

from typing import Annotated

import typer

from mailer.cli.console import house


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on; a reverse proxy with TLS stands before it.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8000,
) -> None:
    """Serve the public pages: leave, choose, join, read. Stop with Ctrl-C."""
    from mailer.web.serving import serve as serve_pages

    def say_where(address: str) -> None:
        print(f"serving on {address} (Ctrl-C stops)", flush=True)

    serve_pages(house(context), host, port, say_where)
