"""Empty databases at the present schema, copied from one migrated once: migrations cost more than most tests."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from mailer.storage.database import Database


@cache
def migrated_file() -> Path:
    """A SQLite database without rows, to copy and not to open."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-books-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(f"sqlite:///{folder / 'mailer.db'}")
    database.upgrade()
    with database.read() as connection:  # the copy is of one file: nothing may wait in the log beside it
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return folder / "mailer.db"


def empty_books(path: Path) -> str:
    """Put an empty SQLite database there, and give its URL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(migrated_file(), path)
    return f"sqlite:///{path}"


@cache
def _migrated(server: str) -> str:
    name = f"empty_{uuid4().hex[:12]}"
    _command(server, f"CREATE DATABASE {name}")
    database = Database(url_of(server, name))
    database.upgrade()
    database.close()
    return name


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    """An empty database on a PostgreSQL server while it is needed; its URL."""
    template, name = _migrated(server), f"t{uuid4().hex[:12]}"
    _command(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield url_of(server, name)
    _command(server, f"DROP DATABASE {name} WITH (FORCE)")


def make_hasty(server: str) -> None:
    """Let a server forget its last seconds if the machine itself goes down; what a killed client sees is the same."""
    _command(server, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")


def url_of(server: str, name: str) -> str:
    """The URL of one database of a server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def administrator(server: str) -> Engine:
    """Connections that make and drop databases, which no transaction can."""
    return create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")


def _command(server: str, *statements: str) -> None:
    engine = administrator(server)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
