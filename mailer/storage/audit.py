"""
The audit: who did what to whom, and when. Rows are only ever added.

A subject is a kind and a number (`subscriber:12`, `import:3`, `campaign:5`), never an address, so that the record of an
erasure doesn't keep what was erased.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from sqlalchemy import Column, Connection, Index, Integer, String, Table, Text, select

from mailer.storage.database import Instant, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Index(None, "subject"),
)


class Entry(msgspec.Struct, frozen=True):
    """One line of the audit."""

    at: datetime
    who: str
    action: str
    subject: str
    detail: str


def record(connection: Connection, *, at: datetime, who: str, action: str, subject: str, detail: str = "") -> None:
    """Add a line, in the caller's transaction: what was done and its record stand or fall together."""
    connection.execute(audit.insert().values(at=at, who=who, action=action, subject=subject, detail=detail))


def entries_about(connection: Connection, subject: str) -> Iterator[Entry]:
    """What was done to one subject, oldest first."""
    rows = connection.execute(select(audit).where(audit.c.subject == subject).order_by(audit.c.id))
    for row in rows:
        yield Entry(at=row.at, who=row.who, action=row.action, subject=row.subject, detail=row.detail)
