"""
The register's tables, and the selectables that say who may be written to.

`email_key` and `suppressions.key` hold `address.address_key` of the address; a domain is suppressed under `@domain`.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    exists,
    func,
    or_,
    text,
)

from mailer.storage.database import Instant, metadata


def _only(condition: str) -> dict[str, Any]:
    """What makes an index partial, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(320), nullable=False),
    Column("email_key", String(320), nullable=False, unique=True),
    Column("domain", String(255), nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("honorific", Text, nullable=False, default=""),
    Column("position", Text, nullable=False, default=""),
    Column("institution", Text, nullable=False, default=""),
    Column("country", Text, nullable=False, default=""),
    Column("language", String(8), nullable=False, default=""),
    Column("state", String(16), nullable=False, default="active"),  # active, unconfirmed, unsubscribed
    Column("paused_until", Instant),
    Column("source", String(64), nullable=False, default=""),  # the segment whose list keeps the details
    Column("import_id", ForeignKey("imports.id")),  # the import that brought the person; none: came by hand
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    # The few who aren't simply active: counts begin with them.
    Index("ix_subscribers_not_active", "state", **_only("state <> 'active'")),
    Index("ix_subscribers_paused", "paused_until", **_only("paused_until IS NOT NULL")),
    sqlite_autoincrement=True,  # a number is never given twice: links and deliveries name people by it
)

# Fields that another than `subscribers.source` wrote: a second list, or a person ("hand").
field_owners = Table(
    "field_owners",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("field", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("segment", String(64), primary_key=True),
    Column("state", String(16), nullable=False, default="joined"),  # joined, left (by the reader), removed (by a list)
    Column("changed_at", Instant, nullable=False),
    Column("import_id", ForeignKey("imports.id")),  # the import that set this state; none: a person did
    Index(None, "segment", "state"),
    sqlite_with_rowid=False,
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(320), nullable=False, unique=True),
    Column("reason", String(32), nullable=False),  # bounce, complaint, asked, legal
    Column("note", Text, nullable=False, default=""),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("segment", String(64), nullable=False),
    Column("source", Text, nullable=False),  # the file's name
    Column("basis", String(32), nullable=False, default=""),  # the ground on which the list's people are written to
    Column("proof", Text, nullable=False, default=""),
    Column("mapping", Text, nullable=False, default="{}"),  # JSON: field to column, as a person said
    Column("account", Text, nullable=False, default="{}"),  # JSON: figures
    Column("undone_at", Instant),
    sqlite_autoincrement=True,
)

# What an import changed in people who were there before; new people carry its number themselves.
import_changes = Table(
    "import_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("field", String(32), nullable=False),  # a field's name, or "membership"
    Column("before", Text, nullable=False),  # of a membership, see `membership_mark`
    Column("after", Text, nullable=False),
    Index(None, "import_id"),
    Index(None, "subscriber_id"),
)

# Who was erased, as a keyed hash: enough to refuse the address in a list, too little to know it by.
erasures = Table(
    "erasures",
    metadata,
    Column("seal", String(128), primary_key=True),
    Column("at", Instant, nullable=False),
)


# On what ground each person is written to. Rows are only ever added; an erasure takes them with the person.
consents = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("basis", String(32), nullable=False),  # consent, public function, contract; withdrawn
    Column("source", Text, nullable=False),
    Column("text_version", String(64), nullable=False, default=""),
    Column("proof", Text, nullable=False, default=""),
    Column("who", Text, nullable=False),
    Index(None, "subscriber_id"),
)


# Institutions by name, as `subscribers.institution` says it. What the name tells (`audience.institution`) is put down
# when a list brings it; what a person set is theirs.
institutions = Table(
    "institutions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("country", String(64), nullable=False),
    Column("province", String(64), nullable=False),
    Column("canton", String(64), nullable=False),
    Column("is_by_hand", Boolean, nullable=False, default=False),
    Index(None, "kind"),
    sqlite_with_rowid=False,
)

# Who held a post before: the one at the institution now is in `subscribers`.
former_posts = Table(
    "former_posts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("institution", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("until", Instant, nullable=False),
    Column("successor_id", ForeignKey("subscribers.id", ondelete="SET NULL")),
    Index(None, "subscriber_id"),
    Index(None, "institution"),
)

# Words of the office's own about people, for rules.
tags = Table(
    "tags",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", String(64), primary_key=True),
    Index(None, "tag"),
    sqlite_with_rowid=False,
)

# Rules that were given a name, beside those of config.toml.
segment_rules = Table(
    "segment_rules",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("rule", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
)


def membership_mark(state: str | None, import_id: int | None) -> str:
    """
    A membership's state before a change, with the import that had set it, as `import_changes.before` keeps it.

    >>> membership_mark("removed", 4), membership_mark("joined", None), membership_mark(None, None)
    ('removed 4', 'joined', '')
    """
    return " ".join(str(part) for part in (state, import_id) if part is not None)


def is_suppressed() -> ColumnElement[bool]:
    """Whether the subscriber of the row at hand has a suppression in force, by address or by domain."""
    return exists().where(
        or_(suppressions.c.key == subscribers.c.email_key, suppressions.c.key == "@" + subscribers.c.domain),
        or_(suppressions.c.until.is_(None), suppressions.c.until > func.current_timestamp()),
    )


def may_be_written_to() -> ColumnElement[bool]:
    """Whether the subscriber of the row at hand is active, not paused and not suppressed."""
    return and_(
        subscribers.c.state == "active",
        or_(subscribers.c.paused_until.is_(None), subscribers.c.paused_until <= func.current_timestamp()),
        ~is_suppressed(),
    )
