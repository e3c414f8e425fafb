"""Whether the tables are those that this program knows: machines are upgraded one after the other."""

from collections.abc import Callable
from functools import cache

from sqlalchemy import inspect, text

from mailer.errors import OperatorError
from mailer.storage.database import MIGRATIONS, Database


class TooOld(OperatorError):
    """The program is older than the tables."""


@cache
def known() -> tuple[str, ...]:
    """The revisions that this program knows, the newest last: each migration is named by its own."""
    # Not asked of Alembic: every command looks here, and loading it takes longer than most of them.
    return tuple(sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")))


def revision_of(database: Database) -> str:
    """The revision of the tables; empty if there are none yet."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


def demand_known(database: Database) -> str:
    """
    The revision of the tables, if this program may work on them.

    Raises:
        TooOld: A newer program has been at them.

    """
    found = revision_of(database)
    if found and found not in known():
        raise TooOld(
            f"the database's tables are newer ({found}) than this program ({known()[-1]}); "
            f"upgrade mailer on this machine and start it again"
        )
    return found


def make_ready(database: Database, upgrade: Callable[[], None]) -> None:
    """
    See that the tables are those of this program.

    SQLite serves one machine, so its tables follow the program. On PostgreSQL other machines may still run the last
    version: only an empty database is filled by itself, the rest is for `mailer db upgrade`.

    Raises:
        OperatorError: The tables are older or newer than the program.

    """
    found = demand_known(database)
    if found == known()[-1]:
        return
    if found and not database.is_sqlite:
        raise OperatorError(
            f"the database's tables ({found}) are those of an earlier version ({known()[-1]} is this one's); "
            f"run `mailer db upgrade` once, on any machine"
        )
    upgrade()
