"""
The book of feedback in SQL: every event once, with its evidence, and what each delivery is known by.

`feedback.address` holds `address.address_key` of the address that we wrote to, or of the one that an unattributed
report claims. Evidence is the raw mail or webhook body, compressed; it is dropped after a while, the event stays.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    func,
    select,
    update,
)

from mailer.address import address_key
from mailer.clock import Clock
from mailer.feedback.absorb import OURS, Owner, Past, Recorded, Suppression
from mailer.feedback.event import Event, Happening, weightier
from mailer.feedback.verp import delivery_of_message_id
from mailer.storage import audit
from mailer.storage.campaign_tables import deliveries, provider_ids
from mailer.storage.database import Database, Instant, metadata
from mailer.storage.departing import depart
from mailer.storage.register.tables import subscribers, suppressions
from mailer.tokens import Signer

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event", String(200), nullable=False, unique=True),
    Column("happening", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("source", String(32), nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE")),
    Column("campaign_id", Integer),
    Column("address", String(320), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("hard", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    Column("diagnosis", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("evidence", LargeBinary),
    Index(None, "address", "happening"),
    Index(None, "outcome"),
    Index(None, "subscriber_id"),
)

# No foreign keys: what became of a delivery outlives an erasure, as the delivery itself does.
standings = Table(
    "standings",
    metadata,
    Column("campaign_id", Integer, primary_key=True),
    Column("subscriber_id", Integer, primary_key=True),
    Column("happening", String(16), nullable=False),
    Column("at", Instant, nullable=False),
)

# What a webhook may use once: kept as long as its time stamp would be believed, and a while more.
spent = Table(
    "spent_nonces",
    metadata,
    Column("nonce", String(200), primary_key=True),
    Column("at", Instant, nullable=False),
)

_NONCES_KEPT: Final = timedelta(days=2)
_MAX_EVIDENCE: Final = 256 * 1024
_WHO: Final = "feedback"


class Entry(msgspec.Struct, frozen=True):
    """One line of the book, as people and programs read it."""

    id: int
    at: datetime
    happening: str
    source: str
    address: str
    reason: str
    hard: bool
    status: str
    diagnosis: str
    outcome: str
    campaign_id: int | None
    subscriber_id: int | None


class SqlFeedbackBook:
    """The book of feedback; `open` is one transaction."""

    def __init__(self, database: Database, clock: Clock, signer: Signer) -> None:
        self.database = database
        self.clock = clock
        self.signer = signer

    @contextmanager
    def open(self) -> Iterator["SqlPage"]:
        """One transaction that holds whole or not at all."""
        with self.database.write() as connection:
            yield SqlPage(connection, self)

    def entries(self, *, outcome: str | None = None, limit: int = 200) -> list[Entry]:
        """The latest events, the newest first; only those with the outcome, where one is named."""
        query = select(feedback).order_by(feedback.c.id.desc()).limit(limit)
        if outcome is not None:
            query = query.where(feedback.c.outcome == outcome)
        with self.database.read() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def entry(self, number: int) -> tuple[Entry, bytes] | None:
        """One event and its evidence (empty once it was dropped), or None."""
        with self.database.read() as connection:
            row = connection.execute(select(feedback).where(feedback.c.id == number)).one_or_none()
        return None if row is None else (_entry(row), zlib.decompress(row.evidence) if row.evidence else b"")

    def counts(self) -> dict[str, int]:
        """How many events came to each outcome."""
        query = select(feedback.c.outcome, func.count()).group_by(feedback.c.outcome)
        with self.database.read() as connection:
            return {str(outcome): int(count) for outcome, count in connection.execute(query)}

    def drop_evidence(self, before: datetime) -> int:
        """Drop the raw evidence received before then; the events stay. Gives how many lost theirs."""
        aged = feedback.c.received_at < before, feedback.c.evidence.is_not(None)
        with self.database.write() as connection:
            return connection.execute(update(feedback).where(*aged).values(evidence=None)).rowcount


def _entry(row: Any) -> Entry:
    return Entry(**{name: getattr(row, name) for name in Entry.__struct_fields__})


class SqlPage:
    """The book of feedback within one transaction (see `absorb.Page`)."""

    def __init__(self, connection: Connection, book: SqlFeedbackBook) -> None:
        self._connection = connection
        self._book = book
        self._now = book.clock.now()

    def knows(self, event: Event) -> bool:
        """Whether the event was recorded before."""
        return self._connection.scalar(select(feedback.c.id).where(feedback.c.event == event.id)) is not None

    def spend(self, token: str) -> bool:
        """Use up a token that is good for one event; False if it was used before."""
        self._connection.execute(spent.delete().where(spent.c.at < self._now - _NONCES_KEPT))
        taken = self._book.database.insert(spent).values(nonce=token[:200], at=self._now).on_conflict_do_nothing()
        return bool(self._connection.execute(taken).rowcount)

    def owner_of(self, event: Event) -> Owner | None:
        """By the delivery's token or our Message-ID; of a sender who is vouched for, by its own id or the address."""
        named = event.delivery or delivery_of_message_id(event.message_id, self._book.signer)
        if named and (owner := self._of_delivery(named)):
            return owner
        if not event.is_vouched:
            return None
        return self._of_provider_id(event.provider_id) or (self._of_address(event.address) if event.address else None)

    def _of_provider_id(self, provider_id: str) -> Owner | None:
        if not (known := provider_id.strip("<>")):
            return None
        taken = deliveries.join(provider_ids, provider_ids.c.delivery_id == deliveries.c.id)
        whose = select(deliveries.c.campaign_id, deliveries.c.subscriber_id).select_from(taken)
        row = self._connection.execute(whose.where(provider_ids.c.provider_id == known).limit(1)).one_or_none()
        return self._of_delivery(f"{row.campaign_id}-{row.subscriber_id}") if row else None

    def _of_delivery(self, named: str) -> Owner | None:
        campaign, _, subscriber = named.partition("-")
        if not (campaign.isdecimal() and subscriber.isdecimal()):
            return None
        chosen = deliveries.c.campaign_id == int(campaign), deliveries.c.subscriber_id == int(subscriber)
        email = self._connection.scalar(select(deliveries.c.email).where(*chosen))
        if not email:  # no such delivery, or its person was erased
            return None
        return Owner(address=email, subscriber_id=self._present(int(subscriber)), campaign_id=int(campaign))

    def _present(self, subscriber: int) -> int | None:
        return self._connection.scalar(select(subscribers.c.id).where(subscribers.c.id == subscriber))

    def _of_address(self, address: str) -> Owner:
        person = self._connection.scalar(
            select(subscribers.c.id).where(subscribers.c.email_key == address_key(address))
        )
        return Owner(address=address, subscriber_id=person)

    def past_of(self, owner: Owner, since: datetime) -> Past:
        """The bounces recorded of that address: one a campaign, so that a server that repeats itself counts once."""
        bounced = feedback.c.address == address_key(owner.address), feedback.c.happening == Happening.BOUNCED
        attributed = feedback.c.outcome != Recorded.UNATTRIBUTED
        hard = select(func.count()).where(*bounced, attributed, feedback.c.hard)
        soft = select(func.count(func.distinct(func.coalesce(feedback.c.campaign_id, -feedback.c.id)))).where(
            *bounced, attributed, ~feedback.c.hard, feedback.c.at >= since, feedback.c.reason.not_in(sorted(OURS))
        )
        if owner.campaign_id is not None:
            soft = soft.where(func.coalesce(feedback.c.campaign_id, 0) != owner.campaign_id)
        return Past(hard=self._connection.scalar(hard) or 0, soft=self._connection.scalar(soft) or 0)

    def forget(self, event: Event) -> None:
        """Take an event out that could not be attributed."""
        self._connection.execute(
            feedback.delete().where(feedback.c.event == event.id, feedback.c.outcome == Recorded.UNATTRIBUTED)
        )

    def record(self, event: Event, owner: Owner | None, evidence: bytes, outcome: Recorded) -> None:
        """Keep the event, and let its delivery be known by the weightier of what it was and is."""
        self._connection.execute(
            feedback.insert().values(
                event=event.id,
                happening=event.happening,
                at=event.at,
                received_at=self._now,
                source=event.source,
                subscriber_id=owner.subscriber_id if owner else None,
                campaign_id=owner.campaign_id if owner else None,
                address=address_key((owner.address if owner else event.address)[:320]),
                reason=event.reason,
                hard=event.hard,
                status=event.status[:16],
                diagnosis=event.diagnosis,
                outcome=outcome,
                evidence=zlib.compress(evidence[:_MAX_EVIDENCE]) if evidence else None,
            )
        )
        if owner and owner.campaign_id is not None and owner.subscriber_id is not None:
            self._stand(owner.campaign_id, owner.subscriber_id, event)

    def _stand(self, campaign: int, subscriber: int, event: Event) -> None:
        chosen = standings.c.campaign_id == campaign, standings.c.subscriber_id == subscriber
        before = self._connection.scalar(select(standings.c.happening).where(*chosen))
        after = weightier(Happening(before) if before else None, event.happening)
        if before is None:
            row = {"campaign_id": campaign, "subscriber_id": subscriber, "happening": after, "at": event.at}
            self._connection.execute(standings.insert().values(row))
        elif after != before:
            self._connection.execute(update(standings).where(*chosen).values(happening=after, at=event.at))

    def suppress(self, owner: Owner, suppression: Suppression) -> None:
        """See that the address is not written to: for good beats for a while, a later end an earlier one."""
        key = address_key(owner.address)
        known = self._connection.execute(select(suppressions).where(suppressions.c.key == key)).one_or_none()
        values = {"reason": suppression.reason, "note": suppression.note, "until": suppression.until}
        if known is None:
            self._connection.execute(suppressions.insert().values(key=key, since=self._now, **values))
        elif known.until is not None and (suppression.until is None or suppression.until > known.until):
            self._connection.execute(update(suppressions).where(suppressions.c.key == key).values(values))
        else:
            return
        self._audit(owner, "suppressed", suppression.note)

    def unsubscribe(self, owner: Owner) -> None:
        """Let the subscriber leave everything."""
        if owner.subscriber_id is not None:
            database = self._book.database
            depart(database.swift(self._connection), database, {owner.subscriber_id: "by mail"}, self._now)

    def _audit(self, owner: Owner, action: str, detail: str) -> None:
        if owner.subscriber_id is not None:
            subject = f"subscriber:{owner.subscriber_id}"
            audit.record(self._connection, at=self._now, who=_WHO, action=action, subject=subject, detail=detail)
