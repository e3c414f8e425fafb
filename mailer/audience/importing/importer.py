"""★ Import a list into a segment: read it, clean it, let the register take it in, and account for every row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from mailer.audience.importing.files import open_list
from mailer.audience.importing.rejects import Rejects
from mailer.audience.importing.rows import row_reader
from mailer.audience.importing.sheet import Table, find_heading
from mailer.audience.register import Arrival, Change, ImportOrder, Outcome, Register

_BATCH: Final = 2000
_NOTES: Final = 100

Progress = Callable[[int], None]
"""Told how many rows have been read so far."""


class ListFile(msgspec.Struct, frozen=True):
    """Where a list is, and what a person says about how to read it."""

    path: Path
    mapping: Mapping[str, str] = {}
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """
    What became of every row: `rows + extra_addresses` is the sum of `new`, `changed`, `unchanged`, `rejected` and
    `kept_unsubscribed`, save that a row of which one address is good and another bad counts for both.
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
    read_as: str
    columns: Mapping[str, str]
    ignored_columns: Sequence[str]
    rejects: Sequence[Mapping[str, object]]
    notes: Sequence[Mapping[str, object]]
    changes: Sequence[Change]


class _Reading:
    """One pass over the rows, in batches; holds the cells of the batch at hand for its rejects."""

    def __init__(self, table: Table, rejects: Rejects, progress: Progress | None) -> None:
        self.rows = 0
        self.extra = 0
        self.notes: list[dict[str, object]] = []
        self._table = table
        self._rejects = rejects
        self._progress = progress
        self._cells: dict[int, Sequence[str]] = {}
        self._reasons: dict[int, tuple[Sequence[str], list[str]]] = {}

    def reject(self, arrival: Arrival, reason: str) -> None:
        """Note that the register can't take this one; its row is in the batch at hand."""
        self._refuse(arrival.line, self._cells[arrival.line], [reason])

    def batches(self) -> Iterator[Sequence[Arrival]]:
        """Arrivals by the batch. After each the rejects of the batch are put down."""
        read = row_reader(self._table.columns, self._table.headings)
        batch: list[Arrival] = []
        for line, cells in self._table.rows:
            if not any(cells) or not any(map(str.strip, cells)):
                continue
            self.rows += 1
            arrivals, problems, notes = read(line, cells)
            self._cells[line] = cells
            batch += arrivals
            if problems:
                self._refuse(line, cells, problems)
            if notes or len(arrivals) > 1:
                self._note(line, arrivals, notes)
            if len(self._cells) >= _BATCH:
                yield batch
                self._put_down()
                batch = []
        yield batch
        self._put_down()

    def _refuse(self, line: int, cells: Sequence[str], reasons: list[str]) -> None:
        self._reasons.setdefault(line, (cells, []))[1].extend(reasons)

    def _note(self, line: int, arrivals: Sequence[Arrival], notes: list[str]) -> None:
        self.extra += max(0, len(arrivals) - 1)
        if len(arrivals) > 1:
            notes.append(f"{len(arrivals)} addresses in one row: {', '.join(arrival.email for arrival in arrivals)}")
        room = _NOTES - len(self.notes)
        self.notes += [{"line": line, "note": note} for note in notes][:room]

    def _put_down(self) -> None:
        self._rejects.add(self._reasons)
        self._reasons, self._cells = {}, {}
        if self._progress is not None:
            self._progress(self.rows)


def import_list(file: ListFile, order: ImportOrder, register: Register, *, progress: Progress | None = None) -> Account:
    """
    Import the list, or with `order.dry_run` only say what that would do.

    Raises:
        AuthorError: The list can't be read; nothing was changed.
        Refused: An option doesn't fit the list.

    """
    with closing(open_list(file.path, encoding=file.encoding, separator=file.separator, sheet=file.sheet)) as sheet:
        table = find_heading(sheet, file.path, file.mapping)
        place = None if order.dry_run else file.path.with_name(f"{file.path.stem}.rejects.csv")
        with Rejects(place, table.headings, sheet.separator) as rejects:
            reading = _Reading(table, rejects, progress)
            outcome = register.take_in(reading.batches(), order, reading.reject)
            return _account(reading, rejects, outcome, sheet.described, table)


def _account(reading: _Reading, rejects: Rejects, outcome: Outcome, described: str, table: Table) -> Account:
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
        read_as=described,
        columns={
            field: ", ".join(headings[column].strip() for column in columns)
            for field, columns in table.columns.of.items()
        },
        ignored_columns=table.columns.ignored,
        rejects=rejects.shown,
        notes=reading.notes,
        changes=outcome.changes,
    )
