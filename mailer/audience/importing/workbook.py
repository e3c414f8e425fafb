"""
A workbook read in a process of its own, with bounded memory and time: the far end of `spreadsheet`.

Run as `python -m mailer.audience.importing.workbook FILE WAY SECONDS [SHEET]`, it writes MessagePack to its output:
a header (the sheet's name, how many of its rows are hidden), then blocks of the rows that aren't empty, as text: their
numbers, then their cells; each document behind its length in four bytes. A second header says what keeps it from
reading on.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from itertools import chain
from typing import Any, Final
from zipfile import ZipFile, is_zipfile

import msgspec

from mailer.audience.importing.beside import Beside
from mailer.audience.importing.bounds import bound_memory, bound_time

BATCH: Final = 1000
_CELLS: Final = 100_000
NO_ROOM: Final = "no room"
FAR: Final = "far"
HELD: Final = "held"
STREAMED: Final = "streamed"
TOLD: Final = "told"
"""A workbook is read at once; an xlsx may be as it streams; either with what stands beside its cells."""

Rows = Iterator[tuple[int, list[str]]]
Opened = tuple[Sequence[str], Callable[[str], Rows], Callable[[str], Beside]]
"""The names of a workbook's sheets, what reads the rows of one, and what is told beside them."""


class Header(msgspec.Struct):
    """What comes first: the sheet, or why there is none."""

    sheet: str = ""
    problem: str = ""
    sheets: tuple[str, ...] = ()
    hidden: int = 0


def main(path: str, way: str, seconds: str, sheet: str | None = None) -> None:
    """Write a sheet's rows to standard output."""
    bound_memory()
    bound_time(float(seconds))
    try:
        how, _, tells = way.partition(" ")
        names, rows_of, beside_of = (_streamed if how == STREAMED else _held)(path, tells=tells == TOLD)
        if sheet is not None and sheet not in names:
            _put(Header(problem="no such sheet", sheets=tuple(names)))
            return
        name, rows = _first_filled([sheet] if sheet else names, rows_of)
        beside = beside_of(name) if rows is not None else Beside()
        if rows is None:
            _put(Header(problem="no cells"))
            return
        _put(Header(sheet=name, hidden=beside.hidden))
        _put_rows(beside.told(rows) if beside.merged or beside.links else rows, float(seconds))
    except Exception as problem:  # noqa: BLE001 — whatever a broken file does to its reader is the file's
        _put(Header(problem=_trouble(problem)))


def _trouble(problem: Exception) -> str:
    if isinstance(problem, MemoryError):
        return NO_ROOM
    return FAR if type(problem).__name__ == "FarCell" else str(problem) or type(problem).__name__


def _streamed(path: str, *, tells: bool) -> Opened:
    """An xlsx, read with little memory, however large it is."""
    from mailer.audience.importing.ooxml import Book

    book = Book(ZipFile(path))
    return book.names, book.rows, book.beside if tells else lambda _: Beside()


def _held(path: str, *, tells: bool) -> Opened:
    """Any workbook, held whole by calamine: three times as quick."""
    from python_calamine import CalamineWorkbook, SheetVisibleEnum

    book = CalamineWorkbook.from_path(path)
    hidden = {each.name for each in book.sheets_metadata if each.visible != SheetVisibleEnum.Visible}
    names = sorted(book.sheet_names, key=hidden.__contains__)
    sheet_of = lru_cache(1)(book.get_sheet_by_name)  # it reads the sheet anew each time
    return names, lambda name: _rows_held(sheet_of(name)), partial(_beside, path, sheet_of, tells=tells)


def _beside(path: str, sheet_of: Callable[[str], Any], name: str, *, tells: bool) -> Beside:
    if tells and is_zipfile(path) and "content.xml" in ZipFile(path).namelist():
        from mailer.audience.importing import opendocument

        return opendocument.beside(path, name)
    beside = Beside()
    beside.merge(sheet_of(name).merged_cell_ranges or ())
    return beside


def _first_filled(names: Sequence[str], rows_of: Callable[[str], Rows]) -> tuple[str, Rows | None]:
    for name in names:
        rows = rows_of(name)
        if (first := next(rows, None)) is not None:
            return name, chain([first], rows)
    return "", None


def _rows_held(sheet: Any) -> Rows:
    if not sheet.height:
        return
    left = [""] * (sheet.start or (0, 0))[1]  # calamine leaves out what is empty on the left, but not above
    for number, cells in enumerate(sheet.iter_rows(), 1):
        row = [cell if isinstance(cell, str) else as_read(cell) for cell in cells]
        if any(row):
            yield number, left + row


def _put_rows(found: Rows, seconds: float) -> None:
    """Write the rows, a block at a time; each may take as long as the opening."""
    numbers: list[int] = []
    rows: list[list[str]] = []
    cells = 0
    bound_time(seconds)
    for number, row in found:
        numbers.append(number)
        rows.append(row)
        cells += len(row)
        if len(rows) == BATCH or cells > _CELLS:
            _put((numbers, rows))
            numbers, rows, cells = [], [], 0
            bound_time(seconds)
    if rows:
        _put((numbers, rows))


def as_read(cell: Any) -> str:
    """
    The cell as it reads on the screen: calamine gives telephone numbers as floats.

    >>> as_read(593_999_123_456.0), as_read(2.5), as_read(True), as_read(1e300)
    ('593999123456', '2.5', 'TRUE', '1e+300')
    """
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)  # noqa: PLR2004 — Excel's digits
    if isinstance(cell, datetime) and cell.time() == time():
        return str(cell.date())
    if isinstance(cell, datetime | date | time | timedelta | int):
        return str(cell)
    return "" if cell is None else str(cell)


def _put(document: object) -> None:
    data = msgspec.msgpack.encode(document)
    sys.stdout.buffer.write(len(data).to_bytes(4, "big") + data)


if __name__ == "__main__":
    main(*sys.argv[1:])
