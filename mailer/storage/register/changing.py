"""What a list changes in people who were in the register before, and the record of what it was."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from mailer.audience.importing.merging import KNOWN, Arrival, Difference, Known, differences, is_heard
from mailer.audience.register import Arrivals, ImportOrder
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


class Changes(NamedTuple):
    """What was changed, by the column."""

    emails: list[str]
    fields: list[str]
    before: list[str]
    after: list[str]

    def add(self, emails: Sequence[str], fields: Sequence[str], before: Sequence[str], after: Sequence[str]) -> None:
        """Add some."""
        for column, more in zip(self, (emails, fields, before, after), strict=True):
            column.extend(more)


class Settled(msgspec.Struct):
    """What became of a batch, and what it writes, gathered for few statements."""

    changed: int = 0
    kept_details: int = 0
    changes: Changes = msgspec.field(default_factory=lambda: Changes([], [], [], []))
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

    def settle_simple(self, batch: Arrivals, rows: Sequence[tuple[Any, ...]]) -> Settled:
        """
        Change people of whom only this segment's list has a say, all of it being heard: most of a list.

        Beside each of them comes the row that `Met` describes. Somebody of whom others have a say may be among them if
        there is nothing to change.
        """
        settled = Settled()
        _, numbers, _, *had = zip(*rows, strict=True)
        changed: dict[int, Sequence[int]] = {}
        for place, (has, said) in enumerate(zip(had, batch.details, strict=True)):
            if has != tuple(said) and (of := _differing(has, said)):
                changed[place] = of
                before, after = [has[at] for at in of], [said[at] for at in of]
                self._keep(zip([numbers[at] for at in of], before, after, strict=True), {"field": FIELDS[place]})
                settled.changes.add([batch.emails[at] for at in of], [FIELDS[place]] * len(of), before, after)
        of = sorted({at for each in changed.values() for at in each})
        if of:  # a row is written once, whatever changes in it
            written = [*changed] if len(changed) == 1 else range(len(FIELDS))
            values = [[batch.details[n][at] or had[n][at] for at in of] for n in written]
            rows_written = zip(*values, [numbers[at] for at in of], strict=True)
            self._update([FIELDS[n] for n in written], rows_written)
        settled.changed = len(of)
        return settled

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
                settled.changes.add([email], [field], [before], [after])
            settled.details.append((*details, number))
            if person.source != self._order.segment:
                settled.owned += [(number, difference.field) for difference in heard]
        if person.membership != "joined":
            settled.joining.append(number)
            before = membership_mark(person.membership, person.membership_import)
            settled.record.append((number, "membership", before, "joined"))
            settled.changes.add([email], ["membership"], [person.membership or ""], ["joined"])

    def _write(self, settled: Settled) -> None:
        database, connection = self._database, self._connection
        if settled.details:
            self._update(FIELDS, settled.details)
        self._keep(settled.record, {})
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

    def _update(self, fields: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
        alike = {"updated_at": self._stamp}
        self._database.bulk(self._connection).update(subscribers, fields, "id", rows, alike=alike)

    def _keep(self, record: Iterable[tuple[object, ...]], of: Mapping[str, object]) -> None:
        """Put down what was changed, so that the import can be undone; `of` is what is alike in all of it."""
        columns = [column for column in _CHANGE_COLUMNS if column not in of]
        alike = {"import_id": self._import_id, **of}
        self._database.bulk(self._connection).insert(import_changes, columns, record, alike)

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


def _differing(has: Sequence[str], said: Sequence[str]) -> list[int]:
    """Where the list says something else than the register; an empty cell says nothing."""
    return [at for at, (before, after) in enumerate(zip(has, said, strict=True)) if after and before != after]
