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
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: SQLite's own waiting has to do
    fcntl = None  # type: ignore[assignment]  # asked for before use

# Seconds.
_LOOK_AGAIN: Final = 0.0005
_COURTESY: Final = 0.5  # who heads the queue for longer than that was stopped there, and is no use to wait for
_WRITE_LOCK: Final = ["120", "120"]  # octets of the -shm file: SQLite's "WAL-mode File Format" 2.2.1


@contextmanager
def in_turn(database: str | None, patience: float) -> Iterator[None]:
    """
    Hold the head of the queue for as long as it takes to begin a transaction; leave it before the transaction ends.

    It is a courtesy and no lock: after half a second (`patience` if that is less), or where no file can be kept beside
    the database, one goes on to SQLite's own lock, which alone decides.
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
        _stand_in(queue, time.monotonic() + min(patience, _COURTESY))
        yield
    finally:
        os.close(queue)  # lets go of the lock, as the end of the process would


def begin(connection: sqlite3.Connection, database: str | None, patience: float) -> None:
    """
    Begin a transaction that writes, in turn; afterwards SQLite itself has that patience, whatever it had before.

    Raises:
        sqlite3.OperationalError: The file is still locked after `patience` seconds (by whom), or can't be written.

    """
    with in_turn(database, patience):
        deadline = time.monotonic() + patience
        connection.execute("PRAGMA busy_timeout=0")  # or it sleeps up to a tenth of a second between two looks
        try:
            _look_until(connection, database, deadline)
        finally:
            connection.execute(f"PRAGMA busy_timeout={int(patience * 1000)}")


def _look_until(connection: sqlite3.Connection, database: str | None, deadline: float) -> None:
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as problem:
            is_busy = problem.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
            if not is_busy:
                raise
            if time.monotonic() > deadline:
                raise sqlite3.OperationalError(f"{problem}{_by_whom(database)}") from problem
        time.sleep(_LOOK_AGAIN)


def _by_whom(database: str | None) -> str:
    """Who keeps it locked, where the system tells: whoever was stopped in mid-change does so until they go on."""
    try:
        of_file = f":{Path(f'{database}-shm').stat().st_ino}"
        locks = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
        # proc_locks(5): number, kind, mode, access, process, device and inode, first and last octet.
        process = next(lock[4] for lock in locks if lock[5].endswith(of_file) and lock[6:] == _WRITE_LOCK)
        state = (
            Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
        )
    except (OSError, StopIteration):
        return ""
    if state in {"T", "t"}:
        return f" by process {process}, which was stopped; `kill -CONT {process}` lets it go on"
    return f" by process {process}"


def _stand_in(queue: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(_LOOK_AGAIN)
