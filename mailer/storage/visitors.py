"""
What the public pages keep beside the register: who asked to join, who left and may still come back, what was used up.

Nobody is in the register before they confirmed; who never does is forgotten (`tidy`).
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from mailer.storage.database import Instant, metadata

# What somebody left, so that it can be given back for a day.
departures = Table(
    "departures",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("left_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),  # of the subscriber before
    Column("segments", Text, nullable=False),  # joined before, JSON
)

# A wish to join, until its confirmation link is used.
signups = Table(
    "signups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(320), nullable=False),
    Column("name", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("segments", Text, nullable=False),  # JSON
    Column("consent", String(32), nullable=False),  # the version of the text that was agreed to
    Column("asked_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="SET NULL")),
    Index(None, "asked_at"),
    sqlite_autoincrement=True,  # a link names it: a number is never given twice
)

# How often something happened in a window of time; `key` is a keyed hash, never an address.
quotas = Table(
    "quotas",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("used", Integer, nullable=False),
    Column("until", Instant, nullable=False),
    Index(None, "until"),
)

# Letters that the pages owe somebody: written here with the reason for them, posted afterwards.
notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),  # confirm, known, mine
    Column("email", String(320), nullable=False),
    Column("language", String(8), nullable=False),
    Column("about", Integer, nullable=False),  # a signup's number, or a subscriber's
    Column("created_at", Instant, nullable=False),
    Column("next_try_at", Instant),  # none: posted, or given up
    Column("tries", Integer, nullable=False, default=0),
    Index(None, "next_try_at"),
    sqlite_autoincrement=True,
)
