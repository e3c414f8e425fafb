"""
How a list goes into the register: one transaction, batch by batch, each row looked up once.

A batch costs one look-up by key and, for new people, one bulk insert; memory doesn't grow with the list, save four
bytes a person to tell when an address comes twice.
"""

from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec
from sqlalchemy import Connection, and_, bindparam, func, insert, literal, select, update

from mailer.audience.importing.merging import Difference, Known, agrees, differences, is_heard
from mailer.audience.institution import institution
from mailer.audience.register import Arrival, Change, ImportOrder, Outcome, Reject
from mailer.audience.subscriber import FIELDS
from mailer.errors import Refused
from mailer.storage.database import Database
from mailer.storage.register.barring import Barring, Seals
from mailer.storage.register.syncing import let_leave, missing_from
from mailer.storage.register.tables import (
    field_owners,
    import_changes,
    imports,
    institutions,
    membership_mark,
    memberships,
    subscribers,
)

_CHANGES_SHOWN: Final = 1000
_NAMES_KEPT: Final = 20_000
_DETAILS: Final = tuple(subscribers.c[field] for field in FIELDS)
_NEW_COLUMNS: Final = (
    "email", "email_key", "domain", *FIELDS, "state", "source", "import_id", "created_at", "updated_at",
)  # fmt: skip
_CHANGE_COLUMNS: Final = ("import_id", "subscriber_id", "field", "before", "after")


class Written:
    """What a batch writes about people who were there before, gathered for few statements."""

    def __init__(self) -> None:
        self.details: list[tuple[object, ...]] = []
        self.changes: list[tuple[object, ...]] = []
        self.owned: list[tuple[int, str]] = []
        self.joining: list[int] = []


class Intake:
    """One import under way, in the caller's transaction."""

    def __init__(
        self,
        database: Database,
        connection: Connection,
        order: ImportOrder,
        *,
        at: datetime,
        seals: Seals,
        reject: Reject,
    ) -> None:
        self._database = database
        self._connection = connection
        self._order = order
        self._at = at
        self._reject = reject
        self.outcome = Outcome()
        entered = insert(imports).values(
            at=at,
            who=order.who,
            segment=order.segment,
            source=order.source,
            basis=order.basis,
            proof=order.proof,
            mapping=msgspec.json.encode(order.mapping).decode(),
        )
        self.import_id: int = connection.scalars(entered.returning(imports.c.id)).one()
        self._newest_before = connection.scalar(select(func.coalesce(func.max(subscribers.c.id), 0))) or 0
        self._first_new: int | None = None
        self._lines_before = array("I", bytes(array("I").itemsize * (self._newest_before + 1)))
        self._lines_new = array("I")
        self._barring = Barring(connection, at, seals)
        self._plan = sha256()
        stored = database.stored_instant(at)
        self._tail = ("active", order.segment, self.import_id, stored, stored)
        self._expects_new = True
        self._institutions: set[str] = set()
        self._lookup = _lookup(order.segment)

    def _learn_institutions(self, batch: Sequence[Arrival]) -> None:
        """Put down what new names of institutions tell; names met lately are known."""
        names = {arrival.institution for arrival in batch} - self._institutions - {""}
        if not names:
            return
        self._institutions = names | (self._institutions if len(self._institutions) < _NAMES_KEPT else set())
        known = self._database.insert(institutions).on_conflict_do_nothing()
        told = [institution(name) for name in sorted(names)]
        self._connection.execute(known, [msgspec.structs.asdict(each) for each in told])

    def take(self, batches: Iterable[Sequence[Arrival]]) -> Outcome:
        """Take in every batch, then enrol the new people."""
        for batch in batches:
            if batch:
                self._take_batch(batch)
                self._learn_institutions(batch)
        self._enrol_new()
        if self._order.sync:
            self._let_leave()
        self._settle_plan()
        self.outcome.import_id = self.import_id
        return self.outcome

    def _let_leave(self) -> None:
        missing = missing_from(self._connection, self._order, self._newest_before, self._lines_before)
        self.outcome.removed = len(missing)
        self._note_changes(let_leave(self._connection, self._order, missing, self.import_id, self._at))

    def _settle_plan(self) -> None:
        """
        Sum up what was done, and compare it with what a dry run announced.

        Raises:
            Refused: It differs: the register or the list moved on.

        """
        figures = (
            self.outcome.unchanged,
            self.outcome.changed,
            self.outcome.removed,
            sorted(self.outcome.kept.items()),
        )
        self._plan.update(repr(figures).encode())
        self.outcome.plan = self._plan.hexdigest()[:12]
        if self._order.plan and self._order.plan != self.outcome.plan:
            raise Refused(
                "the register or the list has changed since that dry run; nothing was imported: "
                "look at a new --dry-run and give its plan"
            )

    def _note_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._plan.update(repr(change).encode())
        self.outcome.changes += changes[: _CHANGES_SHOWN - len(self.outcome.changes)]

    def _take_batch(self, batch: Sequence[Arrival]) -> None:
        rest = self._add_unseen(batch) if self._expects_new and self._barring.is_idle else batch
        new_before = self.outcome.new
        if rest:
            self._take_one_by_one(rest)
        self._expects_new = self.outcome.new - new_before == len(rest) or len(rest) * 2 < len(batch)

    def _add_unseen(self, batch: Sequence[Arrival]) -> Sequence[Arrival]:
        """Add those whom nobody knows, without looking anybody up: most of a new list. The others are given back."""
        newest = self._connection.scalar(select(func.max(subscribers.c.id))) or 0
        if self._database.insert_new(self._connection, subscribers, _NEW_COLUMNS, self._rows_of(batch)):
            self._count_new(batch)
            return ()
        added = set(self._connection.scalars(select(subscribers.c.email_key).where(subscribers.c.id > newest)))
        firsts: list[Arrival] = []
        rest: list[Arrival] = []
        for arrival in batch:
            if arrival.key in added:
                added.discard(arrival.key)
                firsts.append(arrival)
            else:
                rest.append(arrival)
        if firsts:
            self._count_new(firsts)
        return rest

    def _take_one_by_one(self, batch: Sequence[Arrival]) -> None:
        firsts: dict[str, Arrival] = {}
        for arrival in batch:
            first = firsts.setdefault(arrival.key, arrival)
            if first is not arrival:
                self._settle_repeated(arrival, first, first.line)
        known = self._known(list(firsts))
        barred = self._barring.reasons(firsts.values())
        new: list[Arrival] = []
        differing: list[tuple[Arrival, Known]] = []
        for key, arrival in firsts.items():
            person = known.get(key)
            if why := _kept(barred.get(key), person):
                if person is not None and person.id <= self._newest_before:
                    self._lines_before[person.id] = arrival.line
                self.outcome.kept[why] = self.outcome.kept.get(why, 0) + 1
            elif person is None:
                new.append(arrival)
            elif line := self._seen_on(person):
                self._settle_repeated(arrival, person, line)
            else:
                self._lines_before[person.id] = arrival.line
                if person.membership == "joined" and agrees(arrival, person):
                    self.outcome.unchanged += 1
                else:
                    differing.append((arrival, person))
        self._add(new)
        if differing:
            self._settle(differing)

    def _known(self, keys: Sequence[str]) -> dict[str, Known]:
        rows = self._connection.execute(self._lookup, {"keys": keys})
        return {row[1]: Known._make(row) for row in rows}

    def _seen_on(self, person: Known) -> int:
        """The line on which the list named this person before; 0 if it hasn't."""
        if person.id <= self._newest_before:
            return self._lines_before[person.id]
        if self._first_new is None:
            self._first_new = self._connection.scalar(
                select(func.min(subscribers.c.id)).where(subscribers.c.id > self._newest_before)
            )
        return self._lines_new[person.id - (self._first_new or person.id)]

    def _settle_repeated(self, arrival: Arrival, first: Arrival | Known, line: int) -> None:
        if any(differences(arrival, first)):
            self._reject(arrival, f"the address is on line {line} too, with other details; keep one of the rows")
        else:
            self.outcome.repeated += 1
            self.outcome.unchanged += 1

    def _add(self, arrivals: Sequence[Arrival]) -> None:
        if arrivals:
            self._database.insert_rows(self._connection, subscribers, _NEW_COLUMNS, self._rows_of(arrivals))
            self._count_new(arrivals)

    def _rows_of(self, arrivals: Sequence[Arrival]) -> list[tuple[object, ...]]:
        return [arrival[1:] + self._tail for arrival in arrivals]

    def _count_new(self, arrivals: Sequence[Arrival]) -> None:
        self._lines_new.extend([arrival.line for arrival in arrivals])
        self._plan.update("\n".join([arrival.key for arrival in arrivals]).encode())
        self.outcome.new += len(arrivals)

    def _enrol_new(self) -> None:
        """Everybody new joins the segment, in one statement."""
        if not self.outcome.new:
            return
        joining = select(
            subscribers.c.id,
            literal(self._order.segment),
            literal("joined"),
            literal(self._at, subscribers.c.created_at.type),
            literal(self.import_id),
        ).where(subscribers.c.id > self._newest_before, subscribers.c.import_id == self.import_id)
        columns = ["subscriber_id", "segment", "state", "changed_at", "import_id"]
        self._connection.execute(insert(memberships).from_select(columns, joining))

    def _settle(self, differing: Sequence[tuple[Arrival, Known]]) -> None:
        """Change what the list may change in people who were there before, and keep what it was."""
        ids = [person.id for _, person in differing]
        owners, joined = self._owners(ids), self._joined(ids)
        written = Written()
        for arrival, person in differing:
            said = list(differences(arrival, person))
            heard = [
                each
                for each in said
                if is_heard(
                    each,
                    person,
                    segment=self._order.segment,
                    owners=owners.get(person.id, {}),
                    joined=joined.get(person.id, ()),
                )
            ]
            self.outcome.kept_details += len(said) - len(heard)
            if heard or person.membership != "joined":
                self.outcome.changed += 1
                self._note(person, heard, written)
            else:
                self.outcome.unchanged += 1
        self._write(written)

    def _note(self, person: Known, heard: Sequence[Difference], written: Written) -> None:
        if heard:
            values = {field: getattr(person, field) for field in FIELDS} | {each.field: each.after for each in heard}
            written.details.append((*values.values(), self._tail[-1], person.id))
            if person.source != self._order.segment:
                written.owned += [(person.id, each.field) for each in heard]
        if person.membership != "joined":
            written.joining.append(person.id)
            before = membership_mark(person.membership, person.membership_import)
            written.changes.append((self.import_id, person.id, "membership", before, "joined"))
            self._note_changes([Change(person.email, "membership", person.membership or "", "joined")])
        written.changes += [(self.import_id, person.id, *change) for change in heard]
        self._note_changes([Change(person.email, *change) for change in heard])

    def _write(self, written: Written) -> None:
        database, connection = self._database, self._connection
        database.update_rows(connection, subscribers, (*FIELDS, "updated_at"), "id", written.details)
        database.insert_rows(connection, import_changes, _CHANGE_COLUMNS, written.changes)
        if written.owned:
            own = database.insert(field_owners)
            connection.execute(
                own.on_conflict_do_update(
                    index_elements=["subscriber_id", "field"], set_={"owner": own.excluded.owner}
                ),
                [
                    {"subscriber_id": person, "field": field, "owner": self._order.segment}
                    for person, field in written.owned
                ],
            )
        if written.joining:
            joins = {"state": "joined", "changed_at": self._at, "import_id": self.import_id}
            join = database.insert(memberships).values(segment=self._order.segment, **joins)
            connection.execute(
                join.on_conflict_do_update(index_elements=["subscriber_id", "segment"], set_=joins),
                [{"subscriber_id": person} for person in written.joining],
            )

    def _owners(self, ids: Sequence[int]) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {}
        for row in self._connection.execute(select(field_owners).where(field_owners.c.subscriber_id.in_(ids))):
            found.setdefault(row.subscriber_id, {})[row.field] = row.owner
        return found

    def _joined(self, ids: Sequence[int]) -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        for row in self._connection.execute(
            select(memberships.c.subscriber_id, memberships.c.segment).where(
                memberships.c.subscriber_id.in_(ids), memberships.c.state == "joined"
            )
        ):
            found.setdefault(row.subscriber_id, set()).add(row.segment)
        return found

    def close(self) -> None:
        """Put the account beside the import."""
        figures = {"new": self.outcome.new, "changed": self.outcome.changed, "removed": self.outcome.removed}
        account = msgspec.json.encode(figures).decode()
        self._connection.execute(update(imports).where(imports.c.id == self.import_id).values(account=account))


def _kept(barred: str | None, person: Known | None) -> str | None:
    """Why a person is left alone, if they are."""
    if person is not None and person.state == "unsubscribed":
        return "unsubscribed"
    if person is not None and person.membership == "left":
        return "left"
    return barred


def _lookup(segment: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return (
        select(
            subscribers.c.id,
            subscribers.c.email_key,
            subscribers.c.email,
            subscribers.c.state,
            subscribers.c.source,
            subscribers.c.import_id,
            memberships.c.state,
            memberships.c.import_id,
            *_DETAILS,
        )
        .outerjoin(memberships, and_(memberships.c.subscriber_id == subscribers.c.id, memberships.c.segment == segment))
        .where(subscribers.c.email_key.in_(bindparam("keys", expanding=True)))
    )
