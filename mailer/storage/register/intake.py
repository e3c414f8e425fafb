"""
How a list goes into the register: one transaction, batch by batch, each person looked up once.

Most of a list is either new, which one bulk insert finds out, or known and simple: then what the list says is compared
with what the register has, and only differences go on. The few odd ones are looked at one by one. Memory doesn't grow
with the list, save eight bytes a person to tell when an address comes twice.
"""

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, insert, literal, select, update

from mailer.audience.importing.merging import Arrival, Known, differences
from mailer.audience.register import Arrivals, Change, ImportOrder, MovedOn, Outcome, Reject
from mailer.audience.subscriber import FIELDS
from mailer.storage.database import Database
from mailer.storage.register.barring import Barring, Seals
from mailer.storage.register.changing import Changes, Changing, Settled
from mailer.storage.register.institutions import learn
from mailer.storage.register.meeting import MET, SIMPLE, STANDING, Meeting
from mailer.storage.register.syncing import let_leave, missing_from
from mailer.storage.register.tables import imports, memberships, subscribers

_CHANGES_SHOWN: Final = 1000
_NEW_COLUMNS: Final = ("email", "email_key", "domain", *FIELDS)


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
        self.import_id = _entered(connection, order, at)
        self._alike = _alike(order.segment, self.import_id, database.stored_instant(at))
        self._plan = sha256()
        newest = self._newest()
        self._lines = Lines(newest)
        self._meeting = Meeting(database, connection, order.segment, newest)
        self._barring = Barring(connection, at, seals)
        self._changing = Changing(database, connection, order, import_id=self.import_id, at=at)
        self._expects_new = True
        self._institutions: set[str] = set()

    def take(self, batches: Iterable[Arrivals]) -> Outcome:
        """Take in every batch, then enrol the new people."""
        for batch in batches:
            self._take_batch(batch)
            learn(self._database, self._connection, batch, self._institutions)
        self._enrol_new()
        if self._order.sync:
            self._let_leave()
        self._settle_plan()
        self.outcome.import_id = self.import_id
        return self.outcome

    def _let_leave(self) -> None:
        missing = missing_from(self._connection, self._order, self._lines.before)
        self.outcome.removed = len(missing)
        left = let_leave(self._connection, self._order, missing, self.import_id, self._at)
        self._note_changes(left)

    def _settle_plan(self) -> None:
        """
        Sum up what was done, and compare it with what a dry run announced.

        Raises:
            MovedOn: It differs: the register or the list moved on.

        """
        figures = (
            self.outcome.unchanged,
            self.outcome.changed,
            self.outcome.removed,
            self.outcome.tagged,
            sorted(self.outcome.kept.items()),
        )
        self._plan.update(repr(figures).encode())
        self.outcome.plan = self._plan.hexdigest()[:12]
        if self._order.plan and self._order.plan != self.outcome.plan:
            raise MovedOn(
                "the register or the list has changed since that dry run; nothing was imported: "
                "look at a new --dry-run and give its plan"
            )

    def _note_changes(self, changes: Changes) -> None:
        """Keep the first changes to be shown, and all of them in the plan's digest."""
        for column in changes:
            self._plan.update("\x1f".join([*column, ""]).encode())
        room = _CHANGES_SHOWN - len(self.outcome.changes)
        self.outcome.changes += map(Change, *(column[:room] for column in changes))

    def note_tags(self, changes: Changes, many: int) -> None:
        """Tags were put on: so many, and of people who were there before these."""
        self.outcome.tagged += many
        self._note_changes(changes)

    def _take_batch(self, batch: Arrivals) -> None:
        rest = self._add_unseen(batch) if self._expects_new and not self._barring.bars(batch) else batch
        new_before = self.outcome.new
        if rest.lines:
            self._take_known(rest)
        self._expects_new = self.outcome.new - new_before == len(rest.lines) or len(rest.lines) * 2 < len(batch.lines)

    def _add_unseen(self, batch: Arrivals) -> Arrivals:
        """Add those whom nobody knows, without looking anybody up: most of a new list. The others are given back."""
        newest = self._newest()
        rows = zip(batch.emails, batch.keys, batch.domains, *batch.details, strict=True)
        many = self._database.bulk(self._connection).insert_new(subscribers, _NEW_COLUMNS, rows, self._alike)
        if many == len(batch.lines):
            self._count_new(batch)
            return batch.among(())
        if not many:
            return batch
        added = select(subscribers.c.email_key, subscribers.c.id).where(subscribers.c.id > newest)
        number_of = {row[0]: row[1] for row in self._connection.execute(added)}
        numbers: list[int] = []
        firsts: list[int] = []
        rest: list[int] = []
        for place, key in enumerate(batch.keys):
            if number := number_of.pop(key, None):
                numbers.append(number)
                firsts.append(place)
            else:
                rest.append(place)
        self._count_new(batch.among(firsts), numbers)
        return batch.among(rest)

    def _take_known(self, batch: Arrivals) -> None:
        """Simple people are compared by the column, all of a batch at once if all are simple; the others sorted out."""
        rows = self._meeting.met(batch.keys)
        suppressed = self._barring.suppressed(batch.keys, batch.domains)
        if not suppressed and self._are_simple(rows):
            self._settle_simple(batch, rows)
            return
        lines, simple, unseen, odd = self._lines.before, [], [], []
        said = zip(*batch.details, strict=True)
        for place, (row, says, key) in enumerate(zip(rows, said, batch.keys, strict=True)):
            if row is None:
                unseen.append(place)
            elif not row[STANDING] or lines[row[1]] or key in suppressed:
                odd.append(place)
            elif row[STANDING] == SIMPLE or row[MET:] == says:
                lines[row[1]] = batch.lines[place]
                simple.append(place)
            else:
                odd.append(place)
        if simple:
            self._settle_simple(batch.among(simple), [rows[place] for place in simple])
        if unseen and not self._add_all(batch.among(unseen), suppressed):
            odd += unseen
        if odd:
            self._take_odd(batch.among(sorted(odd)), suppressed)

    def _are_simple(self, rows: Sequence[Any]) -> bool:
        """Whether each is known, has details that only this list writes, and was not named before."""
        if None in rows:
            return False
        _, numbers, standings, *_ = zip(*rows, strict=True)
        return (
            min(standings) == SIMPLE
            and len(set(numbers)) == len(numbers)
            and not any(map(self._lines.before.__getitem__, numbers))
        )

    def _settle_simple(self, batch: Arrivals, rows: Sequence[Any]) -> None:
        for number, line in zip(map(itemgetter(1), rows), batch.lines, strict=True):
            self._lines.before[number] = line
        self._count_settled(self._changing.settle_simple(batch, rows), len(rows))

    def _add_all(self, unseen: Arrivals, suppressed: Collection[str]) -> bool:
        """Add people whom nobody knows; False, and nothing done, if one of them is barred or stands here twice."""
        keys = set(unseen.keys)
        if len(keys) < len(unseen.keys) or not keys.isdisjoint(suppressed) or self._barring.erased(keys):
            return False
        self._add(unseen)
        return True

    def _take_odd(self, batch: Arrivals, suppressed: Collection[str]) -> None:
        known = self._meeting.people(batch.keys)
        erased = self._barring.erased(key for key in batch.keys if key not in known)
        barred = dict.fromkeys(suppressed, "suppressed") | dict.fromkeys(erased, "erased")
        arrivals = map(Arrival, batch.lines, batch.emails, batch.keys, batch.domains, *batch.details)
        self._take_one_by_one(list(arrivals), known, barred)

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
                if person is not None:
                    self._lines.put(person.id, arrival.line)
                self.outcome.kept[why] = self.outcome.kept.get(why, 0) + 1
            elif person is None:
                new.append(arrival)
            elif line := self._lines.of(person.id):
                self._settle_repeated(arrival, person, line)
            else:
                self._lines.put(person.id, arrival.line)
                differing.append((arrival, person))
        if new:
            lines, emails, keys, domains, *details = zip(*new, strict=True)
            self._add(Arrivals(lines, emails, keys, domains, tuple(details)))
        if differing:
            self._count_settled(self._changing.settle(differing), len(differing))

    def _count_settled(self, settled: Settled, many: int) -> None:
        self.outcome.changed += settled.changed
        self.outcome.unchanged += many - settled.changed
        self.outcome.kept_details += settled.kept_details
        self._note_changes(settled.changes)

    def _settle_repeated(self, arrival: Arrival, first: Arrival | Known, line: int) -> None:
        if differences(arrival, first):
            self._reject(arrival.line, line)
        else:
            self.outcome.repeated += 1
            self.outcome.unchanged += 1

    def _add(self, arrivals: Arrivals) -> None:
        rows = zip(arrivals.emails, arrivals.keys, arrivals.domains, *arrivals.details, strict=True)
        self._database.bulk(self._connection).insert(subscribers, _NEW_COLUMNS, rows, self._alike)
        self._count_new(arrivals)

    def _count_new(self, arrivals: Arrivals, numbers: Sequence[int] | None = None) -> None:
        """Account for people who were added; where all of a statement were, they are numbered in a row."""
        many = len(arrivals.lines)
        if numbers is None:
            newest = self._newest()
            numbers = range(newest - many + 1, newest + 1)
        self._lines.put_new(numbers, arrivals.lines)
        self._plan.update("\n".join(arrivals.keys).encode())
        self.outcome.new += many

    def _newest(self) -> int:
        return self._connection.scalar(select(func.max(subscribers.c.id))) or 0

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
        ).where(subscribers.c.id > self._lines.newest)  # the table is locked: nobody else came
        columns = ["subscriber_id", "segment", "state", "changed_at", "import_id"]
        self._connection.execute(insert(memberships).from_select(columns, joining))

    def close(self) -> None:
        """Put the account beside the import."""
        figures = {"new": self.outcome.new, "changed": self.outcome.changed, "removed": self.outcome.removed}
        account = msgspec.json.encode(figures).decode()
        self._connection.execute(update(imports).where(imports.c.id == self.import_id).values(account=account))


class Lines:
    """On which line the list named whom; `before` holds those up to `newest`, who were there, by their number."""

    def __init__(self, newest: int) -> None:
        self.newest = newest
        self.before = array("I", bytes(array("I").itemsize * (newest + 1)))
        self._numbers = array("I")
        self._lines = array("I")

    def put(self, number: int, line: int) -> None:
        """Somebody stands on that line; of those who are new it is known."""
        if number <= self.newest:
            self.before[number] = line

    def put_new(self, numbers: Iterable[int], lines: Iterable[int]) -> None:
        """New people were added; the later, the greater their number."""
        self._numbers.extend(numbers)
        self._lines.extend(lines)

    def of(self, number: int) -> int:
        """The line on which somebody stood before; 0 if they didn't."""
        if number <= self.newest:
            return self.before[number]
        return self._lines[bisect_left(self._numbers, number)]


def _entered(connection: Connection, order: ImportOrder, at: datetime) -> int:
    """The number of the import, put down with what was ordered."""
    entered = insert(imports).values(
        at=at,
        who=order.who,
        segment=order.segment,
        source=order.source,
        basis=order.basis,
        proof=order.proof,
        mapping=msgspec.json.encode(order.mapping).decode(),
    )
    return int(connection.scalars(entered.returning(imports.c.id)).one())


def _alike(segment: str, import_id: int, stamp: object) -> dict[str, object]:
    """What everybody new has in common."""
    return {
        "state": "active",
        "source": segment,
        "import_id": import_id,
        "created_at": stamp,
        "updated_at": stamp,
    }


def _kept(barred: str | None, person: Known | None) -> str | None:
    """Why a person is left alone, if they are."""
    if person is not None and person.state == "unsubscribed":
        return "unsubscribed"
    if person is not None and person.membership == "left":
        return "left"
    if person is not None and person.membership == "removed" and person.membership_import is None:
        return "succeeded"  # somebody else holds the post; the list is behind
    return barred
