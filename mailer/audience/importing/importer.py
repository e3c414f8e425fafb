"""★ Import a list into a segment: read it, clean it, let the register take it in, and account for every row."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from mailer.audience.importing.files import open_list
from mailer.audience.importing.rejects import Rejects
from mailer.audience.importing.rows import Batch, RowReader
from mailer.audience.importing.sheet import AnyBlock, Block, Sheet, Table, find_heading
from mailer.audience.importing.wording import wording
from mailer.audience.register import Arrivals, Change, ImportOrder, Outcome, Register
from mailer.errors import AuthorError

_NOTES: Final = 100
_MOST_BAD: Final = 10_000
_BAD_FOR_ONE: Final = 20
"""More bad rows than that, and so many for each good one, are no list whose rows could be mended one by one."""

Progress = Callable[[int], None]
"""Told how many rows have been read so far."""


class ListFile(msgspec.Struct, frozen=True):
    """Where a list is, and what a person says about how to read it."""

    path: Path
    mapping: Mapping[str, str] = {}
    remembered: Mapping[str, str] = {}
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    language: str = "en"
    """Of what is said of its rows."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """
    What became of every row: `rows + extra_addresses` is the sum of `new`, `changed`, `unchanged`, `rejected` and
    `kept_unsubscribed`, save for rows with several addresses that fared differently. `removed` are those whom `sync`
    let leave; `plan` is to be given to the real run after a dry one.
    """

    import_id: int | None
    rows: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    kept_unsubscribed: int
    rejects_file: str | None
    extra_addresses: int
    repeated: int
    kept: Mapping[str, int]
    kept_details: int
    removed: int
    tagged: int
    plan: str
    read_as: str
    hidden_rows: int
    columns: Mapping[str, str]
    ignored_columns: Sequence[str]
    guesses: Mapping[str, str]
    remembered: Sequence[str]
    rejects: Sequence[Mapping[str, object]]
    notes: Sequence[Mapping[str, object]]
    changes: Sequence[Change]


class _Reading:
    """One pass over the rows, in batches; holds the cells of the batch at hand for its rejects."""

    def __init__(self, file: ListFile, table: Table, rejects: Rejects, progress: Progress | None) -> None:
        self.rows = 0
        self.extra = 0
        self._taken = 0
        self._bad = 0
        self.notes: list[dict[str, object]] = []
        self._path = file.path
        self._say = wording(file.language)
        self._table = table
        self._rejects = rejects
        self._progress = progress
        self._at_hand: AnyBlock = Block((), ())
        self._reasons: dict[int, list[str]] = {}

    def reject(self, line: int, first: int) -> None:
        """Note that an address contradicts what an earlier line said of it; its row is in the block at hand."""
        self._reasons.setdefault(line, []).append(self._say.contradicts.format(line=first))

    def batches(self) -> Iterator[Arrivals]:
        """Arrivals by the block. After each the rejects of the block are put down."""
        reader = RowReader(self._table.columns, len(self._table.headings), self._say)
        for block in self._table.blocks:
            self._at_hand = block
            batch = reader.read(block)
            self.rows += batch.rows
            self._reasons = batch.problems
            self.extra += batch.extra_addresses
            self._require_addresses(batch)
            if batch.notes:
                self._note(batch.notes)
            if batch.arrivals is not None:
                yield batch.arrivals
            if self._reasons:
                self._put_down()
            if self._progress is not None:
                self._progress(self.rows)

    def _require_addresses(self, batch: Batch) -> None:
        self._taken += len(batch.arrivals.lines) if batch.arrivals else 0
        self._bad += len(batch.problems)
        if self._bad > _MOST_BAD and self._bad > self._taken * _BAD_FOR_ONE:
            raise AuthorError(
                f"of the first {self.rows:,} rows {self._bad:,} have no valid address; "
                "say with --map email=COLUMN which column holds them, or mend the list",
                self._path,
            )

    def _note(self, notes: Mapping[int, Sequence[str]]) -> None:
        room = _NOTES - len(self.notes)
        told = [{"line": line, "note": note} for line in sorted(notes) for note in notes[line]]
        self.notes += told[:room]

    def _put_down(self) -> None:
        rows = zip(self._at_hand.lines, self._at_hand.rows, strict=True)
        self._rejects.add((line, cells, self._reasons[line]) for line, cells in rows if line in self._reasons)


def import_list(file: ListFile, order: ImportOrder, register: Register, *, progress: Progress | None = None) -> Account:
    """
    Import the list, or with `order.dry_run` only say what that would do.

    Raises:
        AuthorError: The list can't be read; nothing was changed.
        Refused: An option doesn't fit the list.

    """
    opened = open_list(file.path, encoding=file.encoding, separator=file.separator, sheet=file.sheet)
    with closing(opened) as sheet, _no_collector():
        table = find_heading(sheet, file.path, file.mapping, file.remembered)
        place = None if order.dry_run else file.path.with_name(f"{file.path.stem}.rejects.csv")
        with Rejects(place, table.headings, sheet.separator, wording(file.language)) as rejects:
            reading = _Reading(file, table, rejects, progress)
            outcome = register.take_in(reading.batches(), order, reading.reject)
            return _account(reading, rejects, outcome, sheet, table)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Rows make no reference cycles; looking for some among a million tuples takes a third of the reading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _account(reading: _Reading, rejects: Rejects, outcome: Outcome, sheet: Sheet, table: Table) -> Account:
    headings = [*table.headings, *[""] * 8]
    return Account(
        import_id=outcome.import_id,
        rows=reading.rows,
        new=outcome.new,
        changed=outcome.changed,
        unchanged=outcome.unchanged,
        rejected=rejects.count,
        kept_unsubscribed=sum(outcome.kept.values()),
        rejects_file=rejects.keep(),
        extra_addresses=reading.extra,
        repeated=outcome.repeated,
        kept=outcome.kept,
        kept_details=outcome.kept_details,
        removed=outcome.removed,
        tagged=outcome.tagged,
        plan=outcome.plan,
        read_as=sheet.described,
        hidden_rows=sheet.hidden,
        columns={
            field: ", ".join(headings[column].strip() for column in columns)
            for field, columns in table.columns.of.items()
        },
        ignored_columns=table.columns.ignored,
        guesses=table.columns.guesses,
        remembered=table.columns.remembered,
        rejects=rejects.shown,
        notes=reading.notes,
        changes=outcome.changes,
    )
