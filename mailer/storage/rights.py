"""
What the law gives everybody over their own data: to be shown all of it, and to have it gone.

Both go by the tables themselves: whatever book names a subscriber is found, the ones of tomorrow too.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, func, select, update

from mailer.address import address_key
from mailer.clock import Clock
from mailer.storage.audit import entries_about, record
from mailer.storage.clicks import followed_by
from mailer.storage.database import Database, metadata
from mailer.storage.register.tables import erasures, subscribers, suppressions
from mailer.storage.visitors import notices, signups

PERSONAL: Final = ("email", "name", "honorific", "position", "institution", "country", "domain", "lane", "reply")
"""The columns that say who somebody is, in whatever table has them."""
Seals = Callable[[str], Sequence[str]]
"""The keyed hashes of an address, by every secret that is still accepted, the current one's first."""


class Rights:
    """Access and erasure; `seals` makes the keyed hashes of an address."""

    def __init__(self, database: Database, clock: Clock, seals: Seals) -> None:
        self.database = database
        self.clock = clock
        self.seals = seals

    def everything(self, subscriber_id: int, *, who: str, asked: str = "") -> dict[str, Any]:
        """Everything held about a subscriber, by book; the asking itself is recorded."""
        with self.database.write() as connection:
            person = connection.execute(select(subscribers).where(subscribers.c.id == subscriber_id)).mappings().one()
            held: dict[str, Any] = {"subscriber": dict(person)}
            for table in _naming_subscribers():
                held[table.name] = _rows(connection, table, table.c.subscriber_id == subscriber_id)
            for table in (signups, notices):
                held[table.name] = _rows(connection, table, func.lower(table.c.email) == person["email"].lower())
            held["clickers"] = [dict(row) for row in connection.execute(followed_by(subscriber_id)).mappings()]
            held["suppressions"] = _rows(connection, suppressions, suppressions.c.key == person["email_key"])
            held["audit"] = list(entries_about(connection, f"subscriber:{subscriber_id}"))
            self._record(connection, subscriber_id, who, "exported", asked)
        return held

    def erase(self, subscriber_id: int, *, who: str, asked: str = "") -> None:
        """
        Remove a subscriber for good and keep the seal of the address; `asked` says for the audit who wished it, when.

        Their suppression goes too, since it names them: the seal keeps them away as well.
        Accounts of campaigns keep their rows, so that the sums still reconcile, and lose the person.
        """
        now = self.clock.now()
        with self.database.write() as connection:
            email = connection.scalar(select(subscribers.c.email).where(subscribers.c.id == subscriber_id))
            if email is None:
                return
            for table in (signups, notices):
                connection.execute(delete(table).where(func.lower(table.c.email) == email.lower()))
            connection.execute(delete(suppressions).where(suppressions.c.key == address_key(email)))
            for table in _naming_subscribers():
                blank = {name: "" for name in PERSONAL if name in table.c}
                if blank:
                    connection.execute(update(table).where(table.c.subscriber_id == subscriber_id).values(blank))
            connection.execute(delete(subscribers).where(subscribers.c.id == subscriber_id))
            sealed = self.database.insert(erasures).values(seal=self.seals(address_key(email))[0], at=now)
            connection.execute(sealed.on_conflict_do_nothing())
            self._record(connection, subscriber_id, who, "erased", asked)

    def is_erased(self, email: str) -> bool:
        """Whether this address was erased, and so may come back only by its owner's own wish."""
        with self.database.read() as connection:
            found = connection.scalar(
                select(erasures.c.at).where(erasures.c.seal.in_(self.seals(address_key(email)))).limit(1)
            )
        return found is not None

    def _record(self, connection: Connection, subscriber_id: int, who: str, action: str, detail: str) -> None:
        subject = f"subscriber:{subscriber_id}"
        record(connection, at=self.clock.now(), who=who, action=action, subject=subject, detail=detail)


def _naming_subscribers() -> Iterator[Table]:
    return (table for table in metadata.sorted_tables if "subscriber_id" in table.c and table is not signups)


def _rows(connection: Connection, table: Table, condition: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table).where(condition)).mappings()]
