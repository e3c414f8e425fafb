"""What a list changes in people who were in the register before, and the record of what it was."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from mailer.audience.importing.merging import KNOWN, Difference, Known, differences, is_heard
from mailer.audience.register import Arrival, ImportOrder
from mailer.audience.subscriber import FIELDS
from mailer.storage.database import Database
from mailer.storage.register.tables import (
    field_owners,
    import_changes,
    membership_mark,
    memberships,
    subscribers,
)

_PLACE: Final = {field: place for place, field in enumerate(FIELDS)}
_CHANGE_COLUMNS: Final = ("subscriber_id", "field", "before", "after")


class Settled(msgspec.Struct):
    """What became of a batch, and what it writes, gathered for few statements."""

    changed: int = 0
    kept_details: int = 0
    changes: list[tuple[str, str, str, str]] = []  # email, field, before, after
    details: list[tuple[object, ...]] = []
    record: list[tuple[object, ...]] = []
    owned: list[tuple[int, str]] = []
    joining: list[int] = []


class Changing:
    """The changes of one import, in the caller's transaction."""

    def __init__(
        self, database: Database, connection: Connection, order: ImportOrder, *, import_id: int, at: datetime
    ) -> None:
        self._database = database
        self._connection = connection
        self._order = order
        self._import_id = import_id
        self._at = at
        self._stamp = database.stored_instant(at)

    def settle(self, differing: Sequence[tuple[Arrival, Known]]) -> Settled:
        """Change what the list may change, and keep what it was."""
        said = [(person, differences(arrival, person)) for arrival, person in differing]
        mine = self._order.segment
        owners = self._owners([person.id for person, each in said if each])
        # Whose word stands is a question only where another list, or a person, has a say.
        joined = self._joined(
            [
                person.id
                for person, each in said
                if each and (person.source != self._order.segment or person.id in owners)
            ]
        )
        settled = Settled()
        for person, each in said:
            heard = each
            if person.source != mine or person.id in owners:
                heard = self._heard(person, each, owners.get(person.id, {}), joined.get(person.id, ()))
                settled.kept_details += len(each) - len(heard)
            if heard or person.membership != "joined":
                settled.changed += 1
                self._note(person, heard, settled)
        self._write(settled)
        return settled

    def _heard(
        self, person: Known, said: Sequence[Difference], owners: Mapping[str, str], joined: Collection[str]
    ) -> list[Difference]:
        return [
            difference
            for difference in said
            if is_heard(difference, person, segment=self._order.segment, owners=owners, joined=joined)
        ]

    def _note(self, person: Known, heard: Sequence[Difference], settled: Settled) -> None:
        number, email = person[0], person[2]
        if heard:
            details = list(person[KNOWN:])
            for field, before, after in heard:
                details[_PLACE[field]] = after
                settled.record.append((number, field, before, after))
                settled.changes.append((email, field, before, after))
            settled.details.append((*details, self._stamp, number))
            if person.source != self._order.segment:
                settled.owned += [(number, difference.field) for difference in heard]
        if person.membership != "joined":
            settled.joining.append(number)
            before = membership_mark(person.membership, person.membership_import)
            settled.record.append((number, "membership", before, "joined"))
            settled.changes.append((email, "membership", person.membership or "", "joined"))

    def _write(self, settled: Settled) -> None:
        database, connection = self._database, self._connection
        database.update_rows(connection, subscribers, (*FIELDS, "updated_at"), "id", settled.details)
        of_import = {"import_id": self._import_id}
        database.insert_rows(connection, import_changes, _CHANGE_COLUMNS, settled.record, of_import)
        if settled.owned:
            own = database.insert(field_owners)
            connection.execute(
                own.on_conflict_do_update(
                    index_elements=["subscriber_id", "field"], set_={"owner": own.excluded.owner}
                ),
                [
                    {"subscriber_id": person, "field": field, "owner": self._order.segment}
                    for person, field in settled.owned
                ],
            )
        if settled.joining:
            joins = {"state": "joined", "changed_at": self._at, "import_id": self._import_id}
            join = database.insert(memberships).values(segment=self._order.segment, **joins)
            connection.execute(
                join.on_conflict_do_update(index_elements=["subscriber_id", "segment"], set_=joins),
                [{"subscriber_id": person} for person in settled.joining],
            )

    def _owners(self, ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
        found: dict[int, dict[str, str]] = {}
        if ids:
            for row in self._connection.execute(select(field_owners).where(field_owners.c.subscriber_id.in_(ids))):
                found.setdefault(row.subscriber_id, {})[row.field] = row.owner
        return found

    def _joined(self, ids: Sequence[int]) -> Mapping[int, Collection[str]]:
        found: dict[int, set[str]] = {}
        if ids:
            for row in self._connection.execute(
                select(memberships.c.subscriber_id, memberships.c.segment).where(
                    memberships.c.subscriber_id.in_(ids), memberships.c.state == "joined"
                )
            ):
                found.setdefault(row.subscriber_id, set()).add(row.segment)
        return found
