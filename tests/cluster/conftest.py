"""A PostgreSQL database of its own for each test, and one to move from."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine

from benchmarks.ground import Ground


@pytest.fixture
def empty_postgres(postgres_url: str) -> str:
    """An empty database on the real server."""
    name = f"c{uuid4().hex[:12]}"
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return str(postgres_url.replace("/postgres?", f"/{name}?"))


@pytest.fixture
def ground(empty_postgres: str) -> Iterator[Ground]:
    """Forty people and the books over PostgreSQL."""
    made = Ground(empty_postgres)
    made.people(40)
    yield made
    made.close()


@pytest.fixture
def sqlite_ground(tmp_path: Path) -> Iterator[Ground]:
    """The same on SQLite."""
    made = Ground(f"sqlite:///{tmp_path / 'mailer.db'}")
    made.people(40)
    yield made
    made.close()
