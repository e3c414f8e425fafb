"""What readers do to their own entry in the register: leave, come back, change, pause."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, delete, select, update

from mailer.clock import Clock
from mailer.storage.audit import record
from mailer.storage.clicks import consents_to_clicks, let_clicks_be_kept
from mailer.storage.database import Database
from mailer.storage.departing import depart
from mailer.storage.register.tables import field_owners, memberships, subscribers
from mailer.storage.visitors import departures

UNDO: Final = timedelta(days=1)
_READER: Final = "reader"


class Reader(msgspec.Struct, frozen=True):
    """A subscriber as their own pages show them; `left_at` and `left` are set while they are gone."""

    id: int
    email: str
    name: str
    language: str
    state: str
    paused_until: datetime | None
    segments: tuple[str, ...]
    left_at: datetime | None = None
    left: tuple[str, ...] = ()

    @property
    def is_gone(self) -> bool:
        """Whether they left everything."""
        return self.state == "unsubscribed"


class Choices(msgspec.Struct, frozen=True):
    """
    What a reader wants from now on; `name` and `keeps_clicks` are None where the page didn't ask for them.

    `keeps_clicks` says whether the links that they follow may be kept with their name, by the text of `clicks_text`.
    """

    language: str
    segments: tuple[str, ...]
    paused_until: datetime | None
    name: str | None = None
    keeps_clicks: bool | None = None
    clicks_text: str = ""


class Preferences:
    """The reader's side of the register; every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    def find(self, subscriber_id: int) -> Reader | None:
        """The reader of that number, or None."""
        with self.database.read() as connection:
            return readers_of(connection, [subscriber_id]).get(subscriber_id)

    def leave(self, departing: Mapping[int, str]) -> set[int]:
        """
        Take everybody named out of everything, in one durable commit; gives whom of them there is.

        `departing` says for each number how they went, for the audit. Who had left before stays as they were, with the
        day on which they did.
        """
        with self.database.swift_write() as transaction:
            return depart(transaction, self.database, departing, self.clock.now())

    def come_back(self, subscriber_id: int) -> Reader | None:
        """Undo a departure of the last day; None if there is none to undo."""
        now = self.clock.now()
        with self.database.write() as connection:
            reader = readers_of(connection, [subscriber_id]).get(subscriber_id)
            if reader is None or not reader.is_gone or reader.left_at is None or now - reader.left_at > UNDO:
                return None
            state = connection.scalar(select(departures.c.state).where(departures.c.subscriber_id == subscriber_id))
            _set(connection, subscriber_id, now, state=state)
            join(connection, self.database, subscriber_id, reader.left, now)
            connection.execute(delete(departures).where(departures.c.subscriber_id == subscriber_id))
            note(connection, subscriber_id, now, "undid leaving")
            return readers_of(connection, [subscriber_id])[subscriber_id]

    def keeps_clicks(self, subscriber_id: int) -> bool:
        """Whether the reader lets the links that they follow be kept with their name."""
        with self.database.read() as connection:
            return consents_to_clicks(connection, subscriber_id)

    def change(self, subscriber_id: int, choices: Choices) -> Reader | None:
        """Make the reader's entry say what they chose; None if they aren't there or have left."""
        now = self.clock.now()
        with self.database.write() as connection:
            reader = readers_of(connection, [subscriber_id]).get(subscriber_id)
            if reader is None or reader.is_gone:
                return None
            wanted: dict[str, Any] = {"language": choices.language, "paused_until": choices.paused_until}
            if choices.name is not None:
                wanted["name"] = choices.name
            changed = {field: value for field, value in wanted.items() if getattr(reader, field) != value}
            _set(connection, subscriber_id, now, **changed)
            own(connection, self.database, subscriber_id, changed.keys() & {"name", "language"})
            dropped = [segment for segment in reader.segments if segment not in choices.segments]
            connection.execute(_PART.where(memberships.c.segment.in_(dropped)), {"these": [subscriber_id], "at": now})
            join(
                connection,
                self.database,
                subscriber_id,
                [segment for segment in choices.segments if segment not in reader.segments],
                now,
            )
            if choices.keeps_clicks is not None:
                let_clicks_be_kept(
                    connection, subscriber_id, given=choices.keeps_clicks, text_version=choices.clicks_text, now=now
                )
            said = [*sorted(changed), *(f"-{name}" for name in dropped), *(f"={name}" for name in choices.segments)]
            note(connection, subscriber_id, now, "changed preferences", " ".join(said))
            return readers_of(connection, [subscriber_id])[subscriber_id]


# Made once: to put a statement together costs more than to run it.
_THESE: Final[BindParameter[int]] = bindparam("these", expanding=True)
_AT: Final[BindParameter[datetime]] = bindparam("at")
_PART: Final = (
    update(memberships)
    .where(memberships.c.subscriber_id.in_(_THESE), memberships.c.state == "joined")
    .values(state="left", changed_at=_AT, import_id=None)
)
_JOINED: Final = (
    select(memberships.c.subscriber_id, memberships.c.segment)
    .where(memberships.c.subscriber_id.in_(_THESE), memberships.c.state == "joined")
    .order_by(memberships.c.segment)
)
_READERS: Final = (
    select(
        *(subscribers.c[name] for name in ("id", "email", "name", "language", "state", "paused_until")),
        departures.c.left_at,
        departures.c.segments,
    )
    .outerjoin(departures, departures.c.subscriber_id == subscribers.c.id)
    .where(subscribers.c.id.in_(_THESE))
)


def readers_of(connection: Connection, ids: Sequence[int]) -> dict[int, Reader]:
    """The readers of these numbers, by number."""
    joined: dict[int, list[str]] = defaultdict(list)
    for subscriber_id, segment in connection.execute(_JOINED, {"these": ids}):
        joined[subscriber_id].append(segment)
    return {
        row.id: Reader(
            id=row.id,
            email=row.email,
            name=row.name,
            language=row.language,
            state=row.state,
            paused_until=row.paused_until,
            segments=tuple(joined[row.id]),
            left_at=row.left_at,
            left=tuple(msgspec.json.decode(row.segments)) if row.segments else (),
        )
        for row in connection.execute(_READERS, {"these": ids})
    }


def join(
    connection: Connection, database: Database, subscriber_id: int, segments: Iterable[str], now: datetime
) -> None:
    """Put somebody into segments because they asked for it."""
    rows = [
        {"subscriber_id": subscriber_id, "segment": segment, "state": "joined", "changed_at": now, "import_id": None}
        for segment in segments
    ]
    if rows:
        upsert = database.insert(memberships)
        connection.execute(
            upsert.on_conflict_do_update(
                index_elements=["subscriber_id", "segment"],
                set_={name: upsert.excluded[name] for name in ("state", "changed_at", "import_id")},
            ),
            rows,
        )


def _set(connection: Connection, subscriber_id: int, now: datetime, **values: Any) -> None:
    connection.execute(update(subscribers).where(subscribers.c.id == subscriber_id).values(updated_at=now, **values))


def own(connection: Connection, database: Database, subscriber_id: int, fields: Iterable[str]) -> None:
    """Say that a person wrote these fields, so that no list overwrites them."""
    rows = [{"subscriber_id": subscriber_id, "field": field, "owner": "hand"} for field in sorted(fields)]
    if rows:
        upsert = database.insert(field_owners)
        connection.execute(
            upsert.on_conflict_do_update(
                index_elements=["subscriber_id", "field"], set_={"owner": upsert.excluded["owner"]}
            ),
            rows,
        )


def note(connection: Connection, subscriber_id: int, now: datetime, action: str, detail: str = "") -> None:
    """Write into the audit what a reader did."""
    record(connection, at=now, who=_READER, action=action, subject=f"subscriber:{subscriber_id}", detail=detail)
