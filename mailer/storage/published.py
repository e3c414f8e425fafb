"""What anybody may read: issues whose sending has begun, as they went out last."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, select

from mailer.storage.campaign_tables import campaigns, shelf
from mailer.storage.database import Database


class Publication(msgspec.Struct, frozen=True):
    """One issue that went out: when first, and the hash of what went out last."""

    issue: str
    content_hash: str
    published_at: datetime


class Published:
    """The archive's side of the shelf."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def issues(self) -> Sequence[Publication]:
        """Every issue whose recipients were frozen, the newest first; what is only planned is nobody's business."""
        last = (
            select(campaigns.c.issue, func.max(campaigns.c.id).label("id"), func.min(campaigns.c.frozen_at).label("at"))
            .where(campaigns.c.frozen_at.is_not(None))
            .group_by(campaigns.c.issue)
            .subquery()
        )
        with self.database.read() as connection:
            rows = connection.execute(
                select(campaigns.c.issue, campaigns.c.content_hash, last.c.at)
                .join(last, last.c.id == campaigns.c.id)
                .order_by(campaigns.c.issue.desc())
            ).all()
        return [Publication(*row) for row in rows]

    def versions(self, issue: str) -> Sequence[tuple[str, datetime]]:
        """The hashes under which an issue went out, with the time that each first did, the oldest first."""
        first = func.min(campaigns.c.frozen_at)
        asked = (
            select(campaigns.c.content_hash, first)
            .where(campaigns.c.issue == issue, campaigns.c.frozen_at.is_not(None))
            .group_by(campaigns.c.content_hash)
            .order_by(first)
        )
        with self.database.read() as connection:
            return [(content_hash, at) for content_hash, at in connection.execute(asked)]

    def shelved(self) -> Sequence[str]:
        """The hashes of everything on the shelf, the newest first: pictures are served before an issue is sent."""
        with self.database.read() as connection:
            return connection.scalars(select(shelf.c.content_hash).order_by(shelf.c.shelved_at.desc())).all()
