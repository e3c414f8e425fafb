"""The migrations and the tables that the code knows are the same, on both databases."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

import mailer.app  # noqa: F401 - brings all tables into the metadata
from mailer.storage.database import Database, metadata


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database that the migrations have just made."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path / 'mailer.db'}")
    else:
        server = request.getfixturevalue("postgres_url")
        name = f"t{uuid4().hex[:12]}"
        engine = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        made = Database(str(server.replace("/postgres?", f"/{name}?")))
    made.upgrade()
    yield made
    made.close()


def test_the_migrations_make_the_tables_that_the_code_knows(database: Database):
    """Alembic finds nothing to add, to remove or to change in tables, columns, types, indexes and keys."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_partial_indexes_are_partial(database: Database):
    """The queue's index holds pending deliveries alone, or claims would read past all that were sent."""
    due = [
        index for index in inspect(database.engine).get_indexes("deliveries") if index["name"] == "ix_deliveries_due"
    ]
    assert due[0]["column_names"] == ["campaign_id", "lane", "due_at", "id"]
    assert any("pending" in str(value) for value in due[0]["dialect_options"].values())


def test_an_upgrade_of_what_is_current_changes_nothing(database: Database):
    """Asked again, the migrations do nothing."""
    database.upgrade()
