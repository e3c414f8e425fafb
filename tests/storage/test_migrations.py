"""The migrations make the very tables that the code names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from mailer.storage.database import Database, metadata
from mailer.storage.tables import all_tables
from tests.databases import empty_database


@contextmanager
def fresh(url: str) -> Iterator[Database]:
    """An empty database, brought up to date."""
    database = Database(url)
    try:
        database.upgrade()
        yield database
    finally:
        database.close()


def differences(database: Database) -> list[object]:
    """What Alembic would still change."""
    assert all_tables()
    with database.read() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def test_sqlite_is_complete(tmp_path: Path) -> None:
    """On SQLite nothing is left to change, and a second upgrade changes nothing."""
    with fresh(f"sqlite:///{tmp_path}/mailer.db") as database:
        assert differences(database) == []
        database.upgrade()


@pytest.mark.postgres
def test_postgresql_is_complete(postgres_url: str) -> None:
    """Migrations bring PostgreSQL to the very tables that the code describes."""
    with empty_database(postgres_url) as url, fresh(url) as database:
        assert differences(database) == []


def test_the_queue_holds_pending_deliveries_alone(tmp_path: Path) -> None:
    """The index that claims go by is partial, or they would read past all that were sent."""
    with fresh(f"sqlite:///{tmp_path}/mailer.db") as database:
        due = [index for index in inspect(database.engine).get_indexes("deliveries") if "due" in str(index["name"])]
        assert due[0]["column_names"] == ["campaign_id", "lane", "due_at", "id"]
        assert "pending" in str(due[0]["dialect_options"]["sqlite_where"])
