"""
Writers of one SQLite file take turns, whatever process they are in.

SQLite lets a writer who finds the file locked sleep and look again, ever more seldom: next to a campaign that commits
without a pause another process may find it locked for a second on end. Here whoever wants to begin stands in a queue
of one lock file, and who has just finished stands behind them.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: SQLite's own waiting has to do
    fcntl = None  # type: ignore[assignment]

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


def _stand_in(queue: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(_LOOK_AGAIN)
