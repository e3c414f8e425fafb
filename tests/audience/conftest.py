"""A register on a real SQLite database, and lists written for a test."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer.audience.importing.importer import Account, ListFile, import_list
from mailer.audience.register import ImportOrder
from mailer.storage.database import Database
from mailer.storage.register import Register
from tests.databases import empty_books


class FixedClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = datetime(2022, 11, 30, 14, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(empty_books(tmp_path / "var" / "mailer.db"))
    yield database
    database.close()


@pytest.fixture
def register(database: Database, clock: FixedClock) -> Register:
    return Register(database, clock)


TakeIn = Callable[..., Account]


@pytest.fixture
def take_in(register: Register, tmp_path: Path) -> TakeIn:
    """Write a list and import it."""

    def run(content: str | bytes, segment: str = "gads", *, name: str = "list.csv", **how):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        ordered = {key: how.pop(key) for key in ("dry_run", "sync", "confirmed", "plan") if key in how}
        order = ImportOrder(segment=segment, source=name, who="Redacción", **ordered)
        return import_list(ListFile(path=path, **how), order, register)

    return run
