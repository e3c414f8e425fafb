"""Writers of one SQLite file take turns."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from mailer.storage.database import Database
from mailer.storage.turns import begin, in_turn

GREEDY = """
import select, sys, time
from mailer.storage.database import Database
database = Database(sys.argv[1])
print("begun", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:  # until it is closed
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
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", GREEDY, url], **pipes) as greedy:
        greedy.stdout.readline()
        for _ in range(40):
            with database.write() as connection:
                connection.exec_driver_sql("UPDATE figures SET value = value + 1000000")
        greedy.stdin.close()
    with database.read() as connection:
        total = connection.exec_driver_sql("SELECT value FROM figures").scalar_one()
    assert total // 1_000_000 == 40
    assert 10 < total % 1_000_000 < 40 * 50  # a few turns of the other's between two of ours
    database.close()


def test_it_is_no_lock(tmp_path: Path) -> None:
    """Who waits at the queue in vain goes on after their patience, for SQLite's own lock decides."""
    books = str(tmp_path / "books.db")
    passed = []
    with in_turn(books, 1), in_turn(books, 0.05):
        passed.append("the queue")
    assert passed


def test_patience_ends(tmp_path: Path) -> None:
    """Who waits for a lock that isn't let go of is told so after their patience, and SQLite is left with the same."""
    holder, waiter = (sqlite3.connect(tmp_path / "books.db", isolation_level=None) for _ in range(2))
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        begin(waiter, str(tmp_path / "books.db"), 0.05)
    assert waiter.execute("PRAGMA busy_timeout").fetchone() == (50,)
    holder.rollback()
    begin(waiter, str(tmp_path / "books.db"), 0.05)
    assert waiter.in_transaction
    for connection in (holder, waiter):
        connection.close()


STOPPED = """
import os, signal, sys
from mailer.storage.database import Database
with Database(sys.argv[1]).write():
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_who_was_stopped_in_a_change_is_named(tmp_path: Path) -> None:
    """Whoever waits for them in vain is told which process it is and how it goes on; once it does, so do the others."""
    books = tmp_path / "books.db"
    database = Database(f"sqlite:///{books}")
    waiter = sqlite3.connect(books, isolation_level=None)
    with subprocess.Popen([sys.executable, "-c", STOPPED, f"sqlite:///{books}"]) as stopped, closing(waiter):
        os.waitid(os.P_PID, stopped.pid, os.WSTOPPED | os.WNOWAIT)
        try:
            with pytest.raises(sqlite3.OperationalError, match=f"locked by process {stopped.pid}, which was stopped"):
                begin(waiter, str(books), 0.05)
        finally:
            stopped.send_signal(signal.SIGCONT)
    with database.write() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one()
    database.close()


def test_who_was_stopped_in_the_queue_is_passed(tmp_path: Path) -> None:
    """Nobody waits half a minute for the head of a queue that doesn't move."""
    books = str(tmp_path / "books.db")
    with closing(sqlite3.connect(books, isolation_level=None)) as waiter, in_turn(books, 1):
        since = time.monotonic()
        begin(waiter, books, 60)
        assert waiter.in_transaction
        assert time.monotonic() - since < 30


def test_no_file_no_queue(tmp_path: Path) -> None:
    """A database in memory, or in a folder that can't be written, needs no queue."""
    with in_turn(":memory:", 1), in_turn(None, 1), in_turn(str(tmp_path / "nowhere" / "books.db"), 1):
        pass
    assert list(tmp_path.iterdir()) == []
