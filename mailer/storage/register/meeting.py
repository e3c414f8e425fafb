"""
Whom of a list the register knows: read ahead in the order in which people came, or looked up by their keys.

A list that comes again is mostly in the order of the last time, and reading on costs half of looking up.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from mailer.audience.importing.merging import Known, person_of
from mailer.audience.subscriber import FIELDS
from mailer.storage.database import Database

_DETAILS: Final = ", ".join(f"s.{field}" for field in FIELDS)
_MEMBERS: Final = " FROM subscribers s LEFT JOIN memberships m ON m.subscriber_id = s.id AND m.segment = ?"
_STANDING: Final = (
    "CASE WHEN s.state = 'unsubscribed' OR m.state <> 'joined' OR m.state IS NULL THEN 0 "
    "WHEN s.source <> ? OR EXISTS (SELECT 1 FROM field_owners o WHERE o.subscriber_id = s.id) THEN 1 ELSE 2 END"
)
_GLANCE: Final = f"SELECT s.email_key, s.id, {_STANDING}, {_DETAILS}{_MEMBERS} WHERE "
_LOOK: Final = (
    "SELECT s.id, s.email_key, s.email, s.state, s.source, s.import_id, m.state, m.import_id, "
    f"{_DETAILS}{_MEMBERS} WHERE s.email_key IN ("
)
_DENSE: Final = 2
"""People who stand within so many times their number in the register came with one list."""


class Met(NamedTuple):
    """
    How somebody stands at a glance.

    `standing` is 0 if there is more to know before their row may be written, 1 if others than the segment's list have a
    say in their details, 2 if only that one has.
    """

    key: str
    id: int
    standing: int
    name: str
    honorific: str
    position: str
    institution: str
    country: str
    language: str


SIMPLE: Final = 2
STANDING: Final = Met._fields.index("standing")
MET: Final = Met._fields.index(FIELDS[0])
"""From here on what the register has, in the order of `FIELDS`."""


class Meeting:
    """Looks up the people of one list, batch after batch; `newest` is the last number given before it came."""

    def __init__(self, database: Database, connection: Connection, segment: str, newest: int) -> None:
        self._database = database
        self._connection = connection
        self._segment = segment
        self._newest = newest
        self._last = 0
        self._reads_on = False

    def met(self, keys: Sequence[str]) -> Sequence[tuple[Any, ...] | None]:
        """For each key a row as `Met` has it, or None."""
        ahead = self._read_on(len(keys)) if self._reads_on else []
        if [row[0] for row in ahead] == list(keys):
            self._last = ahead[-1][1]
            return ahead
        found = {row[0]: row for row in ahead}
        if others := set(keys).difference(found):
            found |= {row[0]: row for row in self._by_keys(list(others))}
        first, last = found.get(keys[0]), found.get(keys[-1])
        self._reads_on = first is not None and last is not None and 0 <= last[1] - first[1] < _DENSE * len(keys)
        self._last = last[1] if last is not None else self._last
        return list(map(found.get, keys))

    def people(self, keys: Sequence[str]) -> dict[str, Known]:
        """By key, everything about those who are known."""
        if not keys:
            return {}
        marks = ", ".join("?" * len(keys))
        rows = self._database.bulk(self._connection).rows(f"{_LOOK}{marks})", [self._segment, *keys])
        return {row[1]: person_of(row) for row in rows}

    def _read_on(self, many: int) -> list[tuple[Any, ...]]:
        behind = f"{_GLANCE}s.id > ? AND s.id <= ? ORDER BY s.id LIMIT ?"
        return self._rows(behind, [self._last, self._newest, many])

    def _by_keys(self, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        return self._rows(f"{_GLANCE}s.email_key IN ({', '.join('?' * len(keys))})", keys)

    def _rows(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        return self._database.bulk(self._connection).rows(statement, [self._segment, self._segment, *values])
