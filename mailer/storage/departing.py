"""
Leaving in SQL: everybody who left in one moment, in a few statements.

After a campaign they come by the thousand while it is still being written, and each commit of theirs holds the
database up: so this goes past SQLAlchemy, as the ledger's own statements do.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from mailer.storage.database import Database
from mailer.storage.swift import Batch, Swift

_GOING: Final = Batch(id="integer", state="text", segments="text", subject="text", detail="text")
_STANDING: Final = (
    "SELECT subscribers.id, subscribers.state, memberships.segment FROM subscribers LEFT JOIN memberships "
    "ON memberships.subscriber_id = subscribers.id AND memberships.state = 'joined' "
    "WHERE subscribers.id IN ({marks}) ORDER BY subscribers.id, memberships.segment"
)
_KEEP: Final = (
    "INSERT INTO departures (subscriber_id, left_at, state, segments) "
    "SELECT new.id, ?, new.state, new.segments FROM {batch} AS new WHERE true "
    "ON CONFLICT (subscriber_id) DO UPDATE "
    "SET left_at = excluded.left_at, state = excluded.state, segments = excluded.segments"
)
_LEAVE: Final = (
    "UPDATE subscribers SET state = 'unsubscribed', updated_at = ? WHERE id IN (SELECT new.id FROM {batch} AS new)"
)
_PART: Final = (
    "UPDATE memberships SET state = 'left', changed_at = ?, import_id = NULL "
    "WHERE subscriber_id IN (SELECT new.id FROM {batch} AS new) AND state = 'joined'"
)
_NOTE: Final = (
    "INSERT INTO audit (at, who, action, subject, detail) "
    "SELECT ?, 'reader', 'unsubscribed', new.subject, new.detail FROM {batch} AS new"
)


def depart(transaction: Swift, database: Database, departing: Mapping[int, str], now: datetime) -> set[int]:
    """
    Take everybody named out of everything; gives whom of them there is.

    `departing` says for each number how they went, for the audit. Who had left before stays as they were.
    """
    numbers = sorted(departing)
    marks = ", ".join("?" * len(numbers))
    states: dict[int, str] = {}
    joined: dict[int, list[str]] = defaultdict(list)
    for number, state, segment in transaction.held(_STANDING.format(marks=marks), numbers, "subscribers"):
        states[number] = state
        joined[number] += [segment] if segment else []
    rows = [
        (one, state, msgspec.json.encode(joined[one]).decode(), f"subscriber:{one}", departing[one])
        for one, state in states.items()
        if state != "unsubscribed"
    ]
    if rows:
        at = database.stored_instant(now)
        for statement in (_KEEP, _LEAVE, _PART, _NOTE):
            transaction.change(statement, _GOING, rows, before=(at,))
    return set(states)
