"""The roster: which processes send, on which machines, and how fast. They sign on, are seen, and sign off."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import delete, insert, select, update

from mailer.deliveries.process import Process
from mailer.storage.cluster_tables import workers
from mailer.storage.database import Database

# Who was not seen for so long is taken for lost, and forgotten after an hour.
LOST_AFTER: Final = timedelta(seconds=15)
_FORGOTTEN_AFTER: Final = timedelta(hours=1)


class Entry(msgspec.Struct, frozen=True):
    """One sending process, as `mailer workers` shows it; `rate` is in messages a second."""

    host: str
    pid: int
    version: str
    slices: int
    sent: int
    rate: float
    begun_at: datetime
    seen_at: datetime
    is_lost: bool


class Roster:
    """All sending processes; times are the database's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sign_on(self, process: Process, version: str) -> int:
        """Enter a process; gives its number."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            connection.execute(delete(workers).where(workers.c.seen_at < now - _FORGOTTEN_AFTER))
            row = {"host": process.host, "pid": process.pid, "version": version, "begun_at": now, "seen_at": now}
            row |= {"slices": 0, "sent": 0, "rate": 0.0}
            number: int = connection.execute(insert(workers).values(row).returning(workers.c.id)).scalar_one()
        return number

    def seen(self, number: int, *, slices: int, sent: int, rate: float) -> None:
        """Note that a process is alive, and what it does."""
        with self._database.write() as connection:
            values = {"seen_at": self._database.now(connection), "slices": slices, "sent": sent, "rate": rate}
            connection.execute(update(workers).where(workers.c.id == number).values(values))

    def sign_off(self, number: int) -> None:
        """Take a process off the roster: it has ended."""
        with self._database.write() as connection:
            connection.execute(delete(workers).where(workers.c.id == number))

    def entries(self) -> Sequence[Entry]:
        """Everybody on the roster, by machine."""
        with self._database.read() as connection:
            rows = connection.execute(select(workers).order_by(workers.c.host, workers.c.id)).all()
            now = self._database.now(connection)
        return [
            Entry(
                host=row.host,
                pid=row.pid,
                version=row.version,
                slices=row.slices,
                sent=row.sent,
                rate=row.rate,
                begun_at=row.begun_at,
                seen_at=row.seen_at,
                is_lost=row.seen_at < now - LOST_AFTER,
            )
            for row in rows
        ]
