"""The tables of campaigns and deliveries, and the indexes that claims, counts and recovery go by."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from mailer.storage.database import Instant, metadata

approvals = Table(
    "approvals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue", String(64), nullable=False),
    Column("content_hash", String(128), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "issue"),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue", String(64), nullable=False),
    Column("content_hash", String(128), nullable=False),
    Column("segments", Text, nullable=False),  # a JSON array, in the order of precedence
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False, default=""),
    Column("scheduled_at", Instant),
    Column("frozen_at", Instant),
    Column("finished_at", Instant),
    Column("recipients", Integer, nullable=False, default=0),
    Column("signed_with", String(16), nullable=False, default=""),
    Column("rules", Text, nullable=False, default="{}"),  # a JSON object: segment to rule
    Column("excluded", Text, nullable=False, default="[]"),  # a JSON array of segments
    Index(None, "issue"),
    sqlite_autoincrement=True,
)

fires = Table(
    "fires",
    metadata,
    Column("schedule", String(128), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("noted_at", Instant, nullable=False),
)

shelf = Table(
    "shelf",
    metadata,
    Column("content_hash", String(128), primary_key=True),
    Column("issue", String(64), nullable=False),
    Column("shelved_at", Instant, nullable=False),
    Column("compiled", LargeBinary, nullable=False),  # MessagePack, zlib
)

# One row a sender; its number is the fencing token of what it claimed, its lease that of all of it.
runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started", Text, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("lease_until", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(None, "campaign_id", "ended_at"),
    sqlite_autoincrement=True,
)

# What was granted of each limit; all senders share it, and it outlives them.
allowances = Table(
    "allowances",
    metadata,
    Column("scope", String(300), primary_key=True),
    Column("until", Instant),  # of a rate that is kept evenly: granted until then
    Column("slots", Text, nullable=False),  # of a quota: how many in which slot of time, as JSON
)

# No foreign key to subscribers: an account outlives an erasure.
deliveries = Table(
    "deliveries",
    metadata,
    # SQLite's integers are as long, and count by themselves only if called INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("subscriber_id", Integer, nullable=False),
    Column("email", String(320), nullable=False),
    Column("segment", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("name", Text, nullable=False),
    Column("honorific", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("institution", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("domain", String(255), nullable=False),
    # The queue in which it waits: that of its domain if that has limits of its own, else the common one.
    Column("lane", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("run_id", Integer),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("deferred_since", Instant),
    Column("uncertain_at", Instant),  # stays once it is set: a second copy is possible
    Column("resent_at", Instant),
    Column("reply", Text, nullable=False),
    Column("code", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("transport", String(64), nullable=False),  # by which it was handed over last
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("campaign_id", "subscriber_id"),
)

# What a provider calls a message that it took: some of its reports say nothing else.
provider_ids = Table(
    "provider_ids",
    metadata,
    Column("delivery_id", ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("provider_id", String(200), nullable=False),
    Index(None, "provider_id"),
)

Index(
    "ix_deliveries_due",
    deliveries.c.campaign_id,
    deliveries.c.lane,
    deliveries.c.due_at,
    deliveries.c.id,
    sqlite_where=deliveries.c.state == "pending",
    postgresql_where=deliveries.c.state == "pending",
)
Index("ix_deliveries_state", deliveries.c.campaign_id, deliveries.c.state, deliveries.c.segment)
