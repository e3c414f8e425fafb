"""
Who of several processes is the elected one: whoever holds an advisory lock of PostgreSQL.

The lock lives as long as the session that took it. A killed process loses it at once; one that is stopped or cut off
says nothing any more, and the server ends a session that is silent for longer than `_SILENCE`.
"""

from typing import Any, Final

from sqlalchemy import text

from mailer.storage.database import Database
from mailer.storage.postgres import ALERT

_SILENCE: Final = 12  # seconds; whoever is elected says something every few
# Any number will do that nobody else uses in this database.
_SCHEDULER: Final = 0x6D61_696C_6572
_HELD: Final = text(
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid = :high "
    "AND objid = :low AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Election:
    """One candidate for scheduler. Used from one thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._session: Any = None

    def stand(self) -> bool:
        """Whether this process is elected now; asked every few seconds, which also keeps it elected."""
        import psycopg

        try:
            if self._session is not None:
                self._session.execute("SELECT 1")
                return True
            return self._try()
        except psycopg.Error:  # the database is away, or took us for dead
            self.resign()
            return False

    def _try(self) -> bool:
        import psycopg

        url = self._database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._session = psycopg.connect(url, autocommit=True, **ALERT)
        elected = self._session.execute("SELECT pg_try_advisory_lock(%s)", (_SCHEDULER,)).fetchone()
        if elected is None or not elected[0]:
            self.resign()
            return False
        self._session.execute(f"SET idle_session_timeout = '{_SILENCE}s'")
        return True

    def resign(self) -> None:
        """Let somebody else be elected."""
        if self._session is not None:
            self._session.close()
            self._session = None


def is_anybody_elected(database: Database) -> bool:
    """Whether some process holds the lock now."""
    key = {"high": _SCHEDULER >> 32, "low": _SCHEDULER & 0xFFFF_FFFF}
    with database.read() as connection:
        return connection.execute(_HELD, key).first() is not None
