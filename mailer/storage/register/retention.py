"""What the register may keep of whom, how long, and what it says of itself."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, and_, func, select

from mailer.storage.register.tables import consents, erasures, imports, memberships, subscribers, suppressions


class Holding(msgspec.Struct, frozen=True):
    """The register in figures, for the page of processing activities."""

    people: int
    by_state: dict[str, int]
    by_ground: dict[str, int]
    suppressions: int
    erasures: int
    imports: int
    oldest: datetime | None


def long_gone(connection: Connection, before: datetime) -> list[int]:
    """Who left everything before a day, and was not heard of since."""
    return list(
        connection.scalars(
            select(subscribers.c.id)
            .where(subscribers.c.state == "unsubscribed", subscribers.c.updated_at < before)
            .order_by(subscribers.c.id)
        )
    )


def holding(connection: Connection) -> Holding:
    """Count what is held, and on which grounds: a person's own latest, or else that of the list that holds them."""

    def count(table: object) -> int:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]

    states = connection.execute(select(subscribers.c.state, func.count()).group_by(subscribers.c.state)).all()
    latest = select(consents.c.subscriber_id, func.max(consents.c.id).label("id")).group_by(consents.c.subscriber_id)
    last = latest.subquery()
    listed = (
        select(memberships.c.subscriber_id, func.max(imports.c.basis).label("basis"))
        .join(imports, and_(imports.c.id == memberships.c.import_id, imports.c.basis != ""))
        .group_by(memberships.c.subscriber_id)
        .subquery()
    )
    ground = func.coalesce(consents.c.basis, listed.c.basis, "not stated").label("ground")
    grounds = connection.execute(
        select(ground, func.count().label("many"))
        .select_from(subscribers)
        .outerjoin(last, last.c.subscriber_id == subscribers.c.id)
        .outerjoin(consents, consents.c.id == last.c.id)
        .outerjoin(listed, listed.c.subscriber_id == subscribers.c.id)
        .where(subscribers.c.state != "unsubscribed")
        .group_by("ground")
    ).all()
    return Holding(
        people=count(subscribers),
        by_state={row[0]: row[1] for row in states},
        by_ground={row.ground: row.many for row in grounds},
        suppressions=count(suppressions),
        erasures=count(erasures),
        imports=count(imports),
        oldest=connection.scalar(select(func.min(subscribers.c.created_at))),
    )
