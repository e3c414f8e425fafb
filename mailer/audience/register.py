"""The port of the stage: what the audience asks of the register's keeper."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from mailer.audience.subscriber import Line, SegmentCount
from mailer.errors import Refused


class Arrivals(NamedTuple):
    """
    Some addresses of a list, cleaned and valid, by the column, for there may be a million of them.

    `details` holds a column for each of `FIELDS`: what the list says of each address besides. `tags` are those that it
    gives the people of a line.
    """

    lines: Sequence[int]
    emails: Sequence[str]
    keys: Sequence[str]
    domains: Sequence[str]
    details: tuple[Sequence[str], ...]
    tags: Mapping[int, Sequence[str]] = {}

    def among(self, places: Sequence[int]) -> "Arrivals":
        """Those at some places, counted from 0, without their tags."""
        lines, emails, keys, domains, details, _ = self
        return Arrivals(
            [lines[at] for at in places],
            [emails[at] for at in places],
            [keys[at] for at in places],
            [domains[at] for at in places],
            tuple([column[at] for at in places] for column in details),
        )


class ImportOrder(msgspec.Struct, frozen=True):
    """
    Where a list goes, who ordered it, and how.

    `sync` lets those leave who are missing from the list; `confirmed` allows it to let many leave. `plan` is what a dry
    run answered: another outcome than that is refused. `mapping` is kept for the next list of that name; `basis` and
    `proof` say on what ground the list's people are written to.
    """

    segment: str
    source: str
    who: str
    dry_run: bool = False
    sync: bool = False
    confirmed: bool = False
    plan: str = ""
    mapping: Mapping[str, str] = {}
    basis: str = ""
    proof: str = ""


class MovedOn(Refused):
    """The outcome isn't what a dry run announced."""


class ManyMissing(Refused):
    """A list that lets leave who isn't on it lacks `missing` of the `before` people of its segment."""

    def __init__(self, sentence: str, *, missing: int, before: int) -> None:
        super().__init__(sentence)
        self.missing = missing
        self.before = before


class Change(msgspec.Struct, frozen=True):
    """A field (or `membership`) of somebody who was in the register before."""

    email: str
    field: str
    before: str
    after: str


class Outcome(msgspec.Struct, kw_only=True):
    """What an import did, or would do. `kept` counts those who were left alone, by why."""

    import_id: int | None = None
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    kept: dict[str, int] = {}
    kept_details: int = 0
    removed: int = 0
    tagged: int = 0
    plan: str = ""
    changes: list[Change] = []


class Undone(msgspec.Struct, frozen=True):
    """What taking an import back did: people gone, details as before, and what was kept because of what came since."""

    import_id: int
    gone: int
    restored: int
    kept: int


class ImportRecord(msgspec.Struct, frozen=True):
    """An import as the register remembers it."""

    id: int
    at: datetime
    who: str
    segment: str
    source: str
    new: int
    changed: int
    removed: int
    undone_at: datetime | None


Reject = Callable[[int, int], None]
"""Told the line of an arrival that contradicts an earlier one, and that one's line."""


class Register(Protocol):
    """Keeps the subscribers."""

    def take_in(self, batches: Iterable[Arrivals], order: ImportOrder, reject: Reject) -> Outcome:
        """
        Upsert a list into a segment, in one transaction; `reject` is told of arrivals that contradict earlier ones.

        Never revives who left, was suppressed or was erased; never writes an empty cell over a value.

        Raises:
            Refused: The outcome isn't the planned one, or a sync would empty much of the segment.

        """
        ...

    def undo(self, import_id: int, *, who: str) -> Undone:
        """
        Take one import back, keeping whatever people did since.

        Raises:
            Refused: There is no such import, it was undone already, or a later one of its segment stands on it.

        """
        ...

    def lines(self, segment: str | None = None) -> Iterator[Line]:
        """Everybody, or the members of one segment, streamed."""
        ...

    def segment_counts(self, names: Sequence[str]) -> list[SegmentCount]:
        """How each named segment stands."""
        ...

    def unsubscribe(self, email: str, segment: str | None, *, who: str) -> bool:
        """
        Let a person leave a segment, or everything; False if they had left already.

        Raises:
            Refused: Nobody has this address, or they aren't in the segment.

        """
        ...
