"""The database: upgrade, and moving house from SQLite to PostgreSQL and back."""

from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say, table
from mailer.cli.presenting import import_progress

group = typer.Typer(help="The database.", no_args_is_help=True)


@group.command()
def upgrade(context: typer.Context) -> None:
    """Bring the tables up to what this version expects."""
    from mailer.storage.revision import demand_known

    app = house(context)
    demand_known(app.bare_database)
    app.bare_database.upgrade()
    if not app.bare_database.is_sqlite:
        from mailer.cluster import queue

        queue.install(app.bare_database)
    say("The database is up to date.")


@group.command()
def copy(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="sqlite:///var/mailer.db or postgresql://…")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The same; empty, or what an interrupted copy left.")],
    *,
    json: bool = JSON,
) -> None:
    """Take everything over into another database, verified by counts and hashes; run it again to go on."""
    from mailer.errors import Refused
    from mailer.storage.moving import move
    from mailer.storage.revision import make_ready

    app = house(context)
    there, here = app.database_at(source), app.database_at(target)
    if there.is_sqlite and not Path(there.url.database or "").is_file():
        raise Refused(f"there is no database at {source}; a relative path is relative to {app.loaded.folder}")
    make_ready(here, here.upgrade)
    rows = 0
    with import_progress() as bar:

        def told(number: int) -> None:
            nonlocal rows
            rows += number
            if bar:
                bar(rows)

        copied = move(there, here, told=told)
    here.close()
    there.close()
    if json:
        print_json(copied)
        return
    filled = [each for each in copied if each.rows]
    table(
        ("Table", "Rows", "SHA-256 of them, in both"), [(e.table, e.rows, e.sha256[:16]) for e in filled], figures=(1,)
    )
    say(f"{rows} rows were copied, all {len(copied)} tables agree. Now name the new database in [database] url.")
    _mention_secret(there.url.database if there.is_sqlite else None)


def _mention_secret(file: str | None) -> None:
    """Links signed with a secret that was kept beside a SQLite file would die with the move."""
    kept = Path(file).with_name("secret") if file else None
    if kept and kept.is_file():
        say(f"The secret in {kept} signs the links in what you sent: put it into MAILER_SECRET on every machine.")
