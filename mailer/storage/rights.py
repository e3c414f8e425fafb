"""
What the law gives everybody over their own data: to be shown all of it, and to have it gone.

Both go by the tables themselves: whatever book names a subscriber is found, the ones of tomorrow too.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select, update

from mailer.address import address_key
from mailer.clock import Clock
from mailer.storage.audit import entries_about, record
from mailer.storage.clicks import followed_by
from mailer.storage.database import Database
from mailer.storage.feedback import feedback
from mailer.storage.register.tables import erasures, imports, subscribers, suppressions
from mailer.storage.tables import all_tables
from mailer.storage.visitors import notices, signups

PERSONAL: Final = ("email", "name", "honorific", "position", "institution", "country", "domain", "lane", "reply")
"""The columns that say who somebody is, in whatever table has them."""
_ADDRESSED: Final = {signups: signups.c.email, notices: notices.c.email, feedback: feedback.c.address}
"""Tables that also know people who are not in the register, by their address alone."""
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
            held: dict[str, Any] = {}
            for table in all_tables():
                if (about := _about(table, subscriber_id, person["email"])) is not None:
                    held[table.name] = _rows(connection, table, about)
            lists = {row["import_id"] for row in (dict(person), *chain(*held.values())) if row.get("import_id")}
            held["imports"] = _rows(connection, imports, imports.c.id.in_(lists))  # whence, on what ground, by whom
            held["clickers"] = [dict(row) for row in connection.execute(followed_by(subscriber_id)).mappings()]
            held["subscriber"] = dict(person)
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
            connection.execute(delete(suppressions).where(suppressions.c.key == address_key(email)))
            for table in all_tables():
                about = _about(table, subscriber_id, email)
                blank = {name: "" for name in PERSONAL if name in table.c}
                if about is not None and table in _ADDRESSED:
                    connection.execute(delete(table).where(about))
                elif about is not None and blank:
                    connection.execute(update(table).where(about).values(blank))
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


def _about(table: Table, subscriber_id: int, email: str) -> ColumnElement[bool] | None:
    """Which rows of a table are about a person; None if it is about nobody."""
    names = []
    if "subscriber_id" in table.c:
        names.append(table.c.subscriber_id == subscriber_id)
    if table in _ADDRESSED:
        names.append(func.lower(_ADDRESSED[table]) == email.lower())
    return or_(*names) if names else None


def _rows(connection: Connection, table: Table, condition: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table).where(condition)).mappings()]
