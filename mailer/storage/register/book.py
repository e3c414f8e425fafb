"""The register's keeper in SQL: imports, people as they stand, who leaves."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

import msgspec
from sqlalchemy import Connection, Row, and_, select, update

from mailer.address import address_key
from mailer.audience.register import Arrivals, ImportOrder, ImportRecord, Outcome, Reject, Undone
from mailer.audience.subscriber import Ground, Line, Membership, Subscriber
from mailer.errors import Refused
from mailer.storage import audit
from mailer.storage.register.barring import Barring
from mailer.storage.register.grounds import add_ground, check_basis, grounds_of
from mailer.storage.register.intake import Intake
from mailer.storage.register.retention import Holding, holding, long_gone
from mailer.storage.register.segments import Segments
from mailer.storage.register.succession import succeed
from mailer.storage.register.tables import (
    field_owners,
    imports,
    may_be_written_to,
    memberships,
    subscribers,
)
from mailer.storage.register.tagging import Tagging
from mailer.storage.register.undoing import undo


class Register(Segments):
    """Keeps the subscribers in the database (see the port `audience.register.Register`)."""

    def take_in(self, batches: Iterable[Arrivals], order: ImportOrder, reject: Reject) -> Outcome:
        """
        Upsert a list into a segment, in one transaction; `reject` is told of arrivals that contradict earlier ones.

        A dry run does the same and takes it back, so that its account is the very one.
        """
        if order.basis:
            check_basis(order.basis)
        at = self._clock.now()
        with self._database.write(bulk=True) as connection:
            self._database.lock_table(connection, subscribers)
            self._database.take_stock(connection, subscribers, memberships, field_owners)

            def put_aside(line: int, first: int) -> None:
                tagging.reject(line)
                reject(line, first)

            intake = Intake(self._database, connection, order, at=at, seals=self._seals, reject=put_aside)
            tagging = Tagging(connection, intake.import_id, order.segment, intake.note_tags)
            outcome = intake.take(tagging.following(batches))
            if order.dry_run:
                connection.get_transaction().rollback()  # type: ignore[union-attr]  # one is open
                outcome.import_id = None
                return outcome
            intake.close()
            audit.record(
                connection,
                at=at,
                who=order.who,
                action="import",
                subject=f"import:{outcome.import_id}",
                detail=f"{order.source} into {order.segment}: {outcome.new} new, {outcome.changed} changed",
            )
        return outcome

    def undo(self, import_id: int, *, who: str) -> Undone:
        """
        Take one import back, keeping whatever people did since.

        Raises:
            Refused: There is no such import, it was undone already, or a later one of its segment stands on it.

        """
        at = self._clock.now()
        with self._database.write() as connection:
            self._database.lock_table(connection, subscribers)
            undone = undo(connection, import_id, at)
            detail = f"{undone.gone} gone, {undone.restored} restored, {undone.kept} kept"
            audit.record(connection, at=at, who=who, action="undo", subject=f"import:{import_id}", detail=detail)
        return undone

    def remembered_mapping(self, segment: str, source: str) -> dict[str, str]:
        """The columns that a person named for the last list of that name into that segment."""
        with self._database.read() as connection:
            found = connection.scalar(
                select(imports.c.mapping)
                .where(imports.c.segment == segment, imports.c.source == source, imports.c.undone_at.is_(None))
                .where(imports.c.mapping != "{}")
                .order_by(imports.c.id.desc())
                .limit(1)
            )
        return dict(msgspec.json.decode(found)) if found else {}

    def imports(self) -> list[ImportRecord]:
        """The imports, the newest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(imports).order_by(imports.c.id.desc())).all()
        nothing = {"new": 0, "changed": 0, "removed": 0}
        return [
            ImportRecord(
                id=row.id,
                at=row.at,
                who=row.who,
                segment=row.segment,
                source=row.source,
                undone_at=row.undone_at,
                **(nothing | msgspec.json.decode(row.account)),
            )
            for row in rows
        ]

    def lines(self, segment: str | None = None) -> Iterator[Line]:
        """Everybody, or the members of one segment (those who left it too), streamed in the order they came."""
        query = (
            select(
                subscribers.c.id,
                subscribers.c.email,
                subscribers.c.name,
                subscribers.c.language,
                subscribers.c.state,
                may_be_written_to().label("may_be_written_to"),
                memberships.c.segment,
            )
            .outerjoin(
                memberships, and_(memberships.c.subscriber_id == subscribers.c.id, memberships.c.state == "joined")
            )
            .order_by(subscribers.c.id, memberships.c.segment)
        )
        if segment is not None:
            members = select(memberships.c.subscriber_id).where(
                memberships.c.segment == segment, memberships.c.state != "removed"
            )
            query = query.where(subscribers.c.id.in_(members))
        with self._database.read() as connection:
            rows = connection.execution_options(yield_per=2000).execute(query)
            for _, group in groupby(rows, key=lambda row: row[0]):
                yield _line(list(group), segment)

    def find(self, email: str) -> Subscriber | None:
        """The person at an address, if they are in the register."""
        with self._database.read() as connection:
            row = connection.execute(
                select(subscribers, may_be_written_to().label("deliverable")).where(
                    subscribers.c.email_key == address_key(email)
                )
            ).one_or_none()
            if row is None:
                return None
            joined = [each.segment for each in _memberships(connection, row.id) if each.state == "joined"]
        kept = {field: getattr(row, field) for field in Subscriber.__struct_fields__ if field != "segments"}
        return Subscriber(**kept | {"deliverable": bool(row.deliverable)}, segments=tuple(joined))

    def memberships(self, subscriber_id: int) -> list[Membership]:
        """Every segment that a person is, or was, in."""
        with self._database.read() as connection:
            return _memberships(connection, subscriber_id)

    def history(self, subscriber_id: int) -> list[audit.Entry]:
        """What was done to a person, and the import that brought them, oldest first."""
        with self._database.read() as connection:
            brought = connection.scalar(select(subscribers.c.import_id).where(subscribers.c.id == subscriber_id))
            entries = list(audit.entries_about(connection, f"subscriber:{subscriber_id}"))
            if brought is not None:
                entries += audit.entries_about(connection, f"import:{brought}")
        return sorted(entries, key=lambda entry: entry.at)

    def grounds(self, subscriber_id: int) -> list[Ground]:
        """On what grounds a person is written to, oldest first."""
        with self._database.read() as connection:
            return grounds_of(connection, subscriber_id)

    def state_ground(self, email: str, basis: str, *, source: str, text_version: str, proof: str, who: str) -> None:
        """
        Record on what ground somebody is written to, beside what was recorded before.

        Raises:
            Refused: Nobody has this address, or the basis is none.

        """
        at = self._clock.now()
        with self._database.write() as connection:
            person = connection.scalar(select(subscribers.c.id).where(subscribers.c.email_key == address_key(email)))
            if person is None:
                raise Refused(f"nobody in the register has the address {email}; see `mailer subscribers list`")
            add_ground(connection, person, Ground(at, basis, source, text_version, proof, who))
            audit.record(
                connection, at=at, who=who, action="ground", subject=f"subscriber:{person}", detail=f"{basis}: {source}"
            )

    def succeed(self, old: str, new: str, *, who: str) -> list[str]:
        """
        Move a post to another address, which waits for its own yes; the segments that it brings.

        Raises:
            Refused: Nobody has the old address, or who has the new one left, was erased or is suppressed.

        """
        at = self._clock.now()
        with self._database.write() as connection:
            going, coming, segments = succeed(connection, self._database, old, new, at)
            Barring(connection, at, self._seals).refuse(new)
            for action, one, other in (("succeeded", going, coming), ("succeeds", coming, going)):
                audit.record(
                    connection, at=at, who=who, action=action, subject=f"subscriber:{one}", detail=f"subscriber:{other}"
                )
        return segments

    def long_gone(self, before: datetime) -> list[int]:
        """Who left everything before a day, and was not heard of since."""
        with self._database.read() as connection:
            return long_gone(connection, before)

    def holding(self) -> Holding:
        """The register in figures."""
        with self._database.read() as connection:
            return holding(connection)

    def unsubscribe(self, email: str, segment: str | None, *, who: str) -> bool:
        """
        Let a person leave a segment, or everything; False if they had left already. No import takes it back.

        Raises:
            Refused: Nobody has this address, or they aren't in the segment.

        """
        at = self._clock.now()
        with self._database.write() as connection:
            person = connection.execute(
                select(subscribers.c.id, subscribers.c.state).where(subscribers.c.email_key == address_key(email))
            ).one_or_none()
            if person is None:
                raise Refused(f"nobody in the register has the address {email}; see `mailer subscribers list`")
            if segment is None:
                has_left = person.state == "unsubscribed"
            else:
                has_left = _membership_state(connection, person.id, segment, email) == "left"
            if has_left:
                return False
            _leave(connection, person.id, segment, at)
            audit.record(
                connection,
                at=at,
                who=who,
                action="unsubscribe",
                subject=f"subscriber:{person.id}",
                detail=segment or "everything",
            )
        return True


def _leave(connection: Connection, person: int, segment: str | None, at: object) -> None:
    if segment is None:
        connection.execute(
            update(subscribers).where(subscribers.c.id == person).values(state="unsubscribed", updated_at=at)
        )
        return
    connection.execute(
        update(memberships)
        .where(memberships.c.subscriber_id == person, memberships.c.segment == segment)
        .values(state="left", changed_at=at, import_id=None)
    )


def _membership_state(connection: Connection, person: int, segment: str, email: str) -> str:
    state = connection.scalar(
        select(memberships.c.state).where(memberships.c.subscriber_id == person, memberships.c.segment == segment)
    )
    if state is None:
        raise Refused(f"{email} isn't in the segment {segment}; `mailer subscribers show {email}` says which")
    return str(state)


def _memberships(connection: Connection, person: int) -> list[Membership]:
    rows = connection.execute(
        select(memberships).where(memberships.c.subscriber_id == person).order_by(memberships.c.segment)
    )
    return [Membership(segment=row.segment, state=row.state, changed_at=row.changed_at) for row in rows]


def _line(rows: Sequence[Row[tuple[object, ...]]], segment: str | None) -> Line:
    first = rows[0]
    segments = tuple(row.segment for row in rows if row.segment is not None)
    is_member = bool(segments) if segment is None else segment in segments
    return Line(
        email=first.email,
        name=first.name,
        language=first.language,
        segments=segments,
        state=first.state,
        deliverable=bool(first.may_be_written_to) and is_member,
    )
