"""
Taking an import back: what it wrote and nobody touched since is as before; what people did since stays.

A field is restored where it still holds what the import wrote, a membership where the import's mark is still on it, and
a person whom the import brought goes where nothing else is known of them.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Row, String, and_, cast, delete, exists, func, literal, or_, select, update

from mailer.audience.register import Undone
from mailer.errors import Refused
from mailer.storage.audit import audit
from mailer.storage.register.tables import (
    field_owners,
    import_changes,
    imports,
    memberships,
    subscribers,
)
from mailer.storage.register.tagging import TAG, take_off


def undo(connection: Connection, import_id: int, at: datetime) -> Undone:
    """
    Undo one import in the caller's transaction.

    Raises:
        Refused: There is no such import, it was undone already, or a later one of its segment stands on it.

    """
    record = _undoable(connection, import_id)
    restored = kept = 0
    restore: Callable[[Connection, Row[tuple[object, ...]], str, datetime], bool]
    changes = connection.execute(
        select(import_changes)
        .where(import_changes.c.import_id == import_id, import_changes.c.field != TAG)
        .order_by(import_changes.c.id.desc())
    ).all()
    for change in changes:
        restore = _restore_membership if change.field == "membership" else _restore_field
        if restore(connection, change, record.segment, at):
            restored += 1
        else:
            kept += 1
    gone = _take_out(connection, import_id)
    restored += take_off(connection, import_id)
    stayed = connection.scalar(select(func.count()).where(subscribers.c.import_id == import_id)) or 0
    connection.execute(update(imports).where(imports.c.id == import_id).values(undone_at=at))
    return Undone(import_id=import_id, gone=gone, restored=restored, kept=kept + stayed)


def _undoable(connection: Connection, import_id: int) -> Row[tuple[object, ...]]:
    record = connection.execute(select(imports).where(imports.c.id == import_id)).one_or_none()
    if record is None:
        raise Refused(f"there is no import {import_id}; `mailer subscribers imports` lists them")
    if record.undone_at is not None:
        raise Refused(f"import {import_id} was undone on {record.undone_at:%Y-%m-%d} already")
    later = connection.scalar(
        select(func.max(imports.c.id)).where(
            imports.c.segment == record.segment, imports.c.id > import_id, imports.c.undone_at.is_(None)
        )
    )
    if later is not None:
        raise Refused(f"import {later} into {record.segment} came after import {import_id}; undo that one first")
    return record


def _restore_membership(connection: Connection, change: Row[tuple[object, ...]], segment: str, at: datetime) -> bool:
    mine = and_(
        memberships.c.subscriber_id == change.subscriber_id,
        memberships.c.segment == segment,
        memberships.c.state == change.after,
        memberships.c.import_id == change.import_id,
    )
    if not change.before:
        return bool(connection.execute(delete(memberships).where(mine)).rowcount)
    state, _, import_id = change.before.partition(" ")
    restored = (
        update(memberships)
        .where(mine)
        .values(state=state, changed_at=at, import_id=int(import_id) if import_id else None)
    )
    return bool(connection.execute(restored).rowcount)


def _restore_field(connection: Connection, change: Row[tuple[object, ...]], segment: str, at: datetime) -> bool:
    column = subscribers.c[change.field]
    by_hand = exists().where(
        field_owners.c.subscriber_id == change.subscriber_id,
        field_owners.c.field == change.field,
        field_owners.c.owner.not_in([segment]),
    )
    restored = (
        update(subscribers)
        .where(subscribers.c.id == change.subscriber_id, column == change.after, ~by_hand)
        .values({column: change.before, subscribers.c.updated_at: at})
    )
    if not connection.execute(restored).rowcount:
        return False
    if not change.before:
        connection.execute(
            delete(field_owners).where(
                field_owners.c.subscriber_id == change.subscriber_id, field_owners.c.field == change.field
            )
        )
    return True


def _take_out(connection: Connection, import_id: int) -> int:
    """Remove the people whom the import brought and of whom nothing else is known; the others leave its segment."""
    brought = select(subscribers.c.id).where(subscribers.c.import_id == import_id)
    connection.execute(
        delete(memberships).where(
            memberships.c.import_id == import_id,
            memberships.c.state == "joined",
            memberships.c.subscriber_id.in_(brought),
        )
    )
    touched = or_(
        exists().where(memberships.c.subscriber_id == subscribers.c.id),
        exists().where(field_owners.c.subscriber_id == subscribers.c.id),
        exists().where(audit.c.subject == literal("subscriber:") + cast(subscribers.c.id, String)),
    )
    return connection.execute(
        delete(subscribers).where(
            subscribers.c.import_id == import_id,
            subscribers.c.state == "active",
            subscribers.c.paused_until.is_(None),
            ~touched,
        )
    ).rowcount
