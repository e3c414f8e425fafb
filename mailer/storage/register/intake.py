"""
How a list goes into the register: one transaction, batch by batch, each row looked up once.

A batch costs one look-up by key and, for new people, one bulk insert; memory doesn't grow with the list, save four
bytes a person to tell when an address comes twice.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, insert, literal, select, update

from mailer.audience.importing.merging import ARRIVED, Known, differences, person_of
from mailer.audience.register import Arrival, Change, ImportOrder, Outcome, Reject
from mailer.audience.subscriber import FIELDS
from mailer.errors import Refused
from mailer.storage.database import Database
from mailer.storage.register.barring import Barring, Seals
from mailer.storage.register.changing import Changing
from mailer.storage.register.institutions import learn
from mailer.storage.register.syncing import let_leave, missing_from
from mailer.storage.register.tables import imports, memberships, subscribers

_CHANGES_SHOWN: Final = 1000
_NEW_COLUMNS: Final = ("email", "email_key", "domain", *FIELDS)
_BETWEEN: Final = "\x1f"  # in no cell: `cells.clean` takes it out
_WHERE_KEYS: Final = (
    " FROM subscribers s LEFT JOIN memberships m ON m.subscriber_id = s.id AND m.segment = ? WHERE s.email_key IN ("
)
_GLANCE: Final = (
    "SELECT s.id, s.email_key, s.state, m.state, " + f" || '{_BETWEEN}' || ".join(f"s.{field}" for field in FIELDS)
) + _WHERE_KEYS
_LOOK: Final = (
    "SELECT s.id, s.email_key, s.email, s.state, s.source, s.import_id, m.state, m.import_id, "
    + ", ".join(f"s.{field}" for field in FIELDS)
) + _WHERE_KEYS


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
        self._alike = {
            "state": "active",
            "source": order.segment,
            "import_id": self.import_id,
            "created_at": stored,
            "updated_at": stored,
        }
        self._changing = Changing(database, connection, order, import_id=self.import_id, at=at)
        self._expects_new = True
        self._institutions: set[str] = set()

    def take(self, batches: Iterable[Sequence[Arrival]]) -> Outcome:
        """Take in every batch, then enrol the new people."""
        for batch in batches:
            if batch:
                self._take_batch(batch)
                self._institutions |= learn(self._database, self._connection, batch, self._institutions)
        self._enrol_new()
        if self._order.sync:
            self._let_leave()
        self._settle_plan()
        self.outcome.import_id = self.import_id
        return self.outcome

    def _let_leave(self) -> None:
        missing = missing_from(self._connection, self._order, self._newest_before, self._lines_before)
        self.outcome.removed = len(missing)
        left = let_leave(self._connection, self._order, missing, self.import_id, self._at)
        self._note_changes([(change.email, change.field, change.before, change.after) for change in left])

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

    def _note_changes(self, changes: Sequence[tuple[str, str, str, str]]) -> None:
        """Keep the first changes to be shown, and all of them in the plan's digest."""
        self._plan.update(repr(changes).encode())
        room = _CHANGES_SHOWN - len(self.outcome.changes)
        self.outcome.changes += [Change(*change) for change in changes[:room]]

    def _take_batch(self, batch: Sequence[Arrival]) -> None:
        rest = self._add_unseen(batch) if self._expects_new and self._barring.is_idle else batch
        new_before = self.outcome.new
        if rest:
            self._take_known(rest)
        self._expects_new = self.outcome.new - new_before == len(rest) or len(rest) * 2 < len(batch)

    def _add_unseen(self, batch: Sequence[Arrival]) -> Sequence[Arrival]:
        """Add those whom nobody knows, without looking anybody up: most of a new list. The others are given back."""
        newest = self._connection.scalar(select(func.max(subscribers.c.id))) or 0
        rows = [arrival[1:] for arrival in batch]
        if self._database.insert_new(self._connection, subscribers, _NEW_COLUMNS, rows, self._alike):
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

    def _take_known(self, batch: Sequence[Arrival]) -> None:
        """Glance at everybody: those of whom the list says what the register has, most of a known list, are done."""
        known = {row[1]: row for row in self._looked_up(_GLANCE, batch)}
        barred = self._barring.reasons(batch)
        lines, newest, between, rest = self._lines_before, self._newest_before, _BETWEEN, []
        for arrival in batch:
            row = known.get(arrival[2])
            if (
                row is not None
                and row[4] == between.join(arrival[ARRIVED:])  # type: ignore[arg-type]
                and row[3] == "joined"
                and row[2] != "unsubscribed"
                and row[0] <= newest
                and not lines[row[0]]
                and not (barred and arrival[2] in barred)
            ):
                lines[row[0]] = arrival[0]
            else:
                rest.append(arrival)
        self.outcome.unchanged += len(batch) - len(rest)
        if rest:
            met = [arrival for arrival in rest if arrival.key in known]
            people = {row[1]: person_of(row) for row in self._looked_up(_LOOK, met)}
            self._take_one_by_one(rest, people, barred)

    def _looked_up(self, statement: str, batch: Sequence[Arrival]) -> list[tuple[Any, ...]]:
        if not batch:
            return []
        keys = [arrival[2] for arrival in batch]
        marks = ", ".join("?" * len(keys))
        return self._database.rows(self._connection, f"{statement}{marks})", [self._order.segment, *keys])

    def _take_one_by_one(self, batch: Sequence[Arrival], known: Mapping[str, Known], barred: Mapping[str, str]) -> None:
        firsts: dict[str, Arrival] = {}
        for arrival in batch:
            first = firsts.setdefault(arrival.key, arrival)
            if first is not arrival:
                self._settle_repeated(arrival, first, first.line)
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
                differing.append((arrival, person))
        self._add(new)
        if differing:
            settled = self._changing.settle(differing)
            self.outcome.changed += settled.changed
            self.outcome.unchanged += len(differing) - settled.changed
            self.outcome.kept_details += settled.kept_details
            self._note_changes(settled.changes)

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
        if differences(arrival, first):
            self._reject(arrival, f"the address is on line {line} too, with other details; keep one of the rows")
        else:
            self.outcome.repeated += 1
            self.outcome.unchanged += 1

    def _add(self, arrivals: Sequence[Arrival]) -> None:
        if arrivals:
            rows = [arrival[1:] for arrival in arrivals]
            self._database.insert_rows(self._connection, subscribers, _NEW_COLUMNS, rows, self._alike)
            self._count_new(arrivals)

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
        ).where(subscribers.c.id > self._newest_before)  # the table is locked: nobody else came
        columns = ["subscriber_id", "segment", "state", "changed_at", "import_id"]
        self._connection.execute(insert(memberships).from_select(columns, joining))

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
    if person is not None and person.membership == "removed" and person.membership_import is None:
        return "succeeded"  # somebody else holds the post; the list is behind
    return barred
