"""Writers of one SQLite file take turns."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailer.storage.database import Database
from mailer.storage.turns import begin, in_turn

GREEDY = """
import sys, time
from mailer.storage.database import Database
database = Database(sys.argv[1])
print("begun", flush=True)
end = time.monotonic() + 4
while time.monotonic() < end:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE figures SET value = value + 1")
        time.sleep(0.01)
"""


def test_a_greedy_writer_starves_nobody(tmp_path: Path) -> None:
    """Beside a process that commits without a pause another gets its turn again and again, and no count is lost."""
    url = f"sqlite:///{tmp_path / 'books.db'}"
    database = Database(url)
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE figures (value INTEGER)")
        connection.exec_driver_sql("INSERT INTO figures VALUES (0)")
    with subprocess.Popen([sys.executable, "-c", GREEDY, url], stdout=subprocess.PIPE) as greedy:
        greedy.stdout.readline()
        waits = []
        while greedy.poll() is None and len(waits) < 40:
            begun = time.monotonic()
            with database.write() as connection:
                waits.append(time.monotonic() - begun)
                connection.exec_driver_sql("UPDATE figures SET value = value + 1000000")
        greedy.wait(20)
    assert len(waits) == 40
    with database.read() as connection:
        total = connection.exec_driver_sql("SELECT value FROM figures").scalar_one()
    assert total // 1_000_000 == 40
    assert total % 1_000_000 > 10
    database.close()


def test_it_is_no_lock(tmp_path: Path) -> None:
    """Who waits at the queue in vain goes on after their patience, for SQLite's own lock decides."""
    books = str(tmp_path / "books.db")
    with in_turn(books, 1):
        begun = time.monotonic()
        with in_turn(books, 0.05):
            assert time.monotonic() - begun < 5


def test_patience_ends(tmp_path: Path) -> None:
    """Who waits for a lock that isn't let go of is told so after their patience, and asks SQLite as before."""
    holder, waiter = (sqlite3.connect(tmp_path / "books.db", isolation_level=None) for _ in range(2))
    waiter.execute("PRAGMA busy_timeout=4321")
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        begin(waiter, str(tmp_path / "books.db"), 0.05)
    assert waiter.execute("PRAGMA busy_timeout").fetchone() == (4321,)
    holder.rollback()
    begin(waiter, str(tmp_path / "books.db"), 0.05)
    assert waiter.in_transaction
    for connection in (holder, waiter):
        connection.close()


def test_no_file_no_queue(tmp_path: Path) -> None:
    """A database in memory, or in a folder that can't be written, needs no queue."""
    with in_turn(":memory:", 1), in_turn(None, 1), in_turn(str(tmp_path / "nowhere" / "books.db"), 1):
        pass
    assert list(tmp_path.iterdir()) == []
