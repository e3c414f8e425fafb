"""The book of suppressions."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select

from mailer.address import domain_of
from mailer.audience.suppression import Listed, Reason, Suppression, suppression_key
from mailer.clock import Clock
from mailer.storage import audit
from mailer.storage.database import Database
from mailer.storage.register.tables import suppressions


class Suppressions:
    """Adds, lifts and lists suppressions. Who is suppressed stays in the register and gets nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, address: str, reason: Reason, *, who: str, note: str = "", until: datetime | None = None) -> bool:
        """
        Suppress an address or an `@domain`; False if it was already, for good or for as long.

        Raises:
            Refused: It is no address and no domain.

        """
        return bool(self.add_all([Listed(suppression_key(address), reason, note)], who=who, until=until))

    def add_all(self, listed: Iterable[Listed], *, who: str, until: datetime | None = None) -> int:
        """Suppress many, in one transaction; the number of those that weren't. What is for good stays for good."""
        at, added = self._clock.now(), 0
        with self._database.write() as connection:
            for each in listed:
                ends = each.until or until
                entry = self._database.insert(suppressions).values(
                    key=each.address, reason=each.reason, note=each.note, since=at, until=ends
                )
                is_shorter = suppressions.c.until.is_not(None) if ends is None else suppressions.c.until < ends
                upsert = entry.on_conflict_do_update(
                    index_elements=["key"],
                    set_={"reason": each.reason, "note": each.note, "since": at, "until": ends},
                    where=is_shorter,
                )
                number = connection.scalar(upsert.returning(suppressions.c.id))
                if number is not None:
                    added += 1
                    audit.record(
                        connection,
                        at=at,
                        who=who,
                        action="suppress",
                        subject=f"suppression:{number}",
                        detail=each.reason,
                    )
        return added

    def lift(self, address: str, *, who: str, why: str) -> bool:
        """
        End a suppression; False if there is none.

        Raises:
            Refused: It is no address and no domain.

        """
        with self._database.write() as connection:
            lifted = delete(suppressions).where(suppressions.c.key == suppression_key(address))
            number = connection.scalar(lifted.returning(suppressions.c.id))
            if number is None:
                return False
            audit.record(
                connection,
                at=self._clock.now(),
                who=who,
                action="lift",
                subject=f"suppression:{number}",
                detail=why,
            )
        return True

    def about(self, address: str) -> list[Suppression]:
        """What bars an address: its own suppression, and its domain's."""
        keys = suppression_key(address), suppression_key(f"@{domain_of(address)}")
        return list(self._found(suppressions.c.key.in_(keys), self._is_in_force()))

    def all(self, *, also_ended: bool = False) -> Iterator[Suppression]:
        """Those in force, and on request those whose time has ended, in the order of their keys."""
        return self._found() if also_ended else self._found(self._is_in_force())

    def _is_in_force(self) -> ColumnElement[bool]:
        return or_(suppressions.c.until.is_(None), suppressions.c.until > self._clock.now())

    def _found(self, *which: ColumnElement[bool]) -> Iterator[Suppression]:
        query = select(suppressions).where(*which).order_by(suppressions.c.key).execution_options(yield_per=2000)
        with self._database.read() as connection:
            for row in connection.execute(query):
                yield Suppression(row.key, row.reason, row.note, row.since, row.until)
