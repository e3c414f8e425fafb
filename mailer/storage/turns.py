"""
Writers of one SQLite file take turns, whatever process they are in.

SQLite lets a writer who finds the file locked sleep and look again, ever more seldom: next to a campaign that commits
without a pause another process may find it locked for a second on end. Here whoever wants to begin stands in a queue
of one lock file, and who has just finished stands behind them. Only the head of the queue looks at SQLite's own lock,
so it can look as often as pays.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: SQLite's own waiting has to do
    fcntl = None  # type: ignore[assignment]  # asked for before use

_LOOK_AGAIN: Final = 0.0005  # seconds


@contextmanager
def in_turn(database: str | None, patience: float) -> Iterator[None]:
    """
    Hold the head of the queue for as long as it takes to begin a transaction; leave it before the transaction ends.

    It is a courtesy and no lock: after `patience` seconds, or where no file can be kept beside the database, one goes
    on to SQLite's own lock, which alone decides.
    """
    if fcntl is None or not database or database == ":memory:":
        yield
        return
    try:
        queue = os.open(f"{database}-turn", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        _stand_in(queue, time.monotonic() + patience)
        yield
    finally:
        os.close(queue)  # lets go of the lock, as the end of the process would


def begin(connection: sqlite3.Connection, database: str | None, patience: float) -> None:
    """
    Begin a transaction that writes, in turn; afterwards SQLite itself has that patience, whatever it had before.

    Raises:
        sqlite3.OperationalError: The file is still locked after `patience` seconds, or can't be written.

    """
    with in_turn(database, patience):
        deadline = time.monotonic() + patience
        connection.execute("PRAGMA busy_timeout=0")  # or it sleeps up to a tenth of a second between two looks
        try:
            _look_until(connection, deadline)
        finally:
            connection.execute(f"PRAGMA busy_timeout={int(patience * 1000)}")


def _look_until(connection: sqlite3.Connection, deadline: float) -> None:
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as problem:
            is_busy = problem.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
            if not is_busy or time.monotonic() > deadline:
                raise
        time.sleep(_LOOK_AGAIN)


def _stand_in(queue: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(_LOOK_AGAIN)
