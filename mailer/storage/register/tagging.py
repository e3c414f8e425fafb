"""The tags that a list brings: put on those whom it brings too, noted so that undoing the import takes them off."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Select, String, and_, cast, delete, exists, insert, literal, or_, select

from mailer.audience.register import Arrivals
from mailer.storage.audit import audit
from mailer.storage.register.changing import Changes
from mailer.storage.register.tables import (
    import_changes,
    imports,
    is_suppressed,
    memberships,
    subscribers,
    tags,
)

TAG = "tag"
"""The field of such a change."""

Note = Callable[[Changes, int], None]
"""Told of changes in people who were there before, and how many tags were put on."""


class Tagging:
    """Follows the batches of one import, and puts their tags on when a batch was taken in."""

    def __init__(self, connection: Connection, import_id: int, segment: str, note: Note) -> None:
        self._connection = connection
        self._import_id = import_id
        self._segment = segment
        self._note = note
        self._rejected: set[int] = set()

    def reject(self, line: int) -> None:
        """A row was put aside after all; its tags are too."""
        self._rejected.add(line)

    def following(self, batches: Iterable[Arrivals]) -> Iterator[Arrivals]:
        """The same batches; what comes behind each is done when the next one is asked for."""
        for batch in batches:
            yield batch
            if batch.tags:
                self._put_on(batch)

    def _put_on(self, batch: Arrivals) -> None:
        wanted: dict[str, set[str]] = {}
        for line, key in zip(batch.lines, batch.keys, strict=True):
            if line in batch.tags and line not in self._rejected:
                wanted.setdefault(key, set()).update(batch.tags[line])
        people = {row.id: row for row in self._connection.execute(self._taken_in(wanted))}
        has = select(tags.c.subscriber_id, tags.c.tag).where(tags.c.subscriber_id.in_(list(people)))
        known = {(row.subscriber_id, row.tag) for row in self._connection.execute(has)}
        put = [
            {"subscriber_id": number, "tag": tag}
            for number, row in people.items()
            for tag in sorted(wanted[row.email_key])
            if (number, tag) not in known
        ]
        if not put:
            return
        self._connection.execute(insert(tags), put)
        self._connection.execute(insert(import_changes), [self._change(**each) for each in put])
        before = [each for each in put if people[each["subscriber_id"]].import_id != self._import_id]
        emails = [people[each["subscriber_id"]].email for each in before]
        nothing = [""] * len(before)
        self._note(Changes(emails, [TAG] * len(before), nothing, [each["tag"] for each in before]), len(put))

    def _taken_in(self, wanted: Mapping[str, object]) -> Select[Any]:
        """Those of these keys whom the list may say something of: who left or is suppressed is left alone."""
        joined = exists().where(
            memberships.c.subscriber_id == subscribers.c.id,
            memberships.c.segment == self._segment,
            memberships.c.state == "joined",
        )
        return select(subscribers.c.id, subscribers.c.email, subscribers.c.email_key, subscribers.c.import_id).where(
            subscribers.c.email_key.in_(list(wanted)),
            subscribers.c.state != "unsubscribed",
            or_(subscribers.c.import_id == self._import_id, joined),
            ~is_suppressed(),
        )

    def _change(self, subscriber_id: int, tag: str) -> dict[str, object]:
        return {
            "import_id": self._import_id,
            "subscriber_id": subscriber_id,
            "field": TAG,
            "before": "",
            "after": tag,
        }


def take_off(connection: Connection, import_id: int) -> int:
    """Take off the tags that an import put on, but those that a person put on since; how many."""
    by_hand = exists().where(
        audit.c.action == "tagged",
        audit.c.subject == literal("subscriber:") + cast(tags.c.subscriber_id, String),
        audit.c.detail == tags.c.tag,
        audit.c.at >= select(imports.c.at).where(imports.c.id == import_id).scalar_subquery(),
    )
    by_list = exists().where(
        and_(
            import_changes.c.import_id == import_id,
            import_changes.c.field == TAG,
            import_changes.c.subscriber_id == tags.c.subscriber_id,
            import_changes.c.after == tags.c.tag,
        )
    )
    return connection.execute(delete(tags).where(by_list, ~by_hand)).rowcount
