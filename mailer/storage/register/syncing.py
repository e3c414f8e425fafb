"""`--sync`: who is missing from the list leaves the segment; not those who joined it by their own wish."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from mailer.audience.register import ImportOrder, ManyMissing
from mailer.storage.register.changing import Changes
from mailer.storage.register.tables import import_changes, membership_mark, memberships, subscribers

MANY: Final = 0.2
"""A list that would let more than this share of a segment leave is more likely a part of the list."""

_PIECE: Final = 500


class Missing(NamedTuple):
    """Somebody of the segment who isn't on the list, and the import that had put them there."""

    subscriber_id: int
    email: str
    import_id: int


def missing_from(connection: Connection, order: ImportOrder, lines: Sequence[int]) -> list[Missing]:
    """
    Who was in the segment by some list and is not on this one.

    `lines` says for each number given before the list came on which line of it the person stands, or 0.

    Raises:
        ManyMissing: They are many, and nobody confirmed it.

    """
    members = connection.execute(
        select(memberships.c.subscriber_id, subscribers.c.email, memberships.c.import_id)
        .join(subscribers, subscribers.c.id == memberships.c.subscriber_id)
        .where(
            memberships.c.segment == order.segment,
            memberships.c.state == "joined",
            memberships.c.import_id.is_not(None),
            memberships.c.subscriber_id < len(lines),
        )
        .execution_options(yield_per=2000)
    )
    before = 0
    missing: list[Missing] = []
    for row in members:
        before += 1
        if not lines[row.subscriber_id]:
            missing.append(Missing._make(row))
    if len(missing) > MANY * before and not (order.confirmed or order.dry_run):
        raise ManyMissing(
            f"{len(missing)} of the {before} people of {order.segment} are not on the list and would leave it; "
            f"look at them with --dry-run, and if that is meant, run it again with --yes",
            missing=len(missing),
            before=before,
        )
    return missing


def let_leave(
    connection: Connection, order: ImportOrder, missing: Sequence[Missing], import_id: int, at: object
) -> Changes:
    """Remove people from the segment, so that undoing the import brings them back."""
    statement = (
        update(memberships)
        .where(memberships.c.segment == order.segment, memberships.c.subscriber_id == bindparam("person"))
        .values(state="removed", changed_at=at, import_id=import_id)
    )
    for start in range(0, len(missing), _PIECE):
        piece = missing[start : start + _PIECE]
        connection.execute(statement, [{"person": each.subscriber_id} for each in piece])
        connection.execute(
            insert(import_changes),
            [
                {
                    "import_id": import_id,
                    "subscriber_id": each.subscriber_id,
                    "field": "membership",
                    "before": membership_mark("joined", each.import_id),
                    "after": "removed",
                }
                for each in piece
            ],
        )
    left = [each.email for each in missing]
    return Changes(left, ["membership"] * len(left), ["joined"] * len(left), ["removed"] * len(left))
