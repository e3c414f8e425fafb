"""
A workbook read in a process of its own, with bounded memory and time: the far end of `spreadsheet`.

Run as `python -m mailer.audience.importing.workbook FILE SECONDS [SHEET]`, it writes MessagePack to standard output: a
header (the sheet's name), then blocks of the rows that aren't empty, as text: their numbers, then their cells; each
block behind its length in four bytes.
"""

import sys
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

from mailer.audience.importing.bounds import bound_memory, bound_time

BATCH: Final = 1000
NO_ROOM: Final = "no room"


class Header(msgspec.Struct):
    """What comes first: the sheet, or why there is none."""

    sheet: str = ""
    problem: str = ""
    sheets: tuple[str, ...] = ()


def main(path: str, seconds: str, sheet: str | None = None) -> None:
    """Write a sheet's rows to standard output."""
    bound_memory()
    bound_time(float(seconds))
    try:
        book = CalamineWorkbook.from_path(path)
        if sheet is not None and sheet not in book.sheet_names:
            _put(Header(problem="no such sheet", sheets=tuple(book.sheet_names)))
            return
        found = next(
            (
                each
                for name in ([sheet] if sheet else book.sheet_names)
                if (each := book.get_sheet_by_name(name)).height
            ),
            None,
        )
    except (CalamineError, ValueError, OSError) as problem:
        _put(Header(problem=str(problem) or type(problem).__name__))
        return
    except MemoryError:
        _put(Header(problem=NO_ROOM))
        return
    bound_time(0)  # what is open is bounded by its memory
    if found is None:
        _put(Header(problem="no cells"))
        return
    _put(Header(sheet=found.name))
    _put_rows(found)


def _put_rows(sheet: Any) -> None:
    numbers: list[int] = []
    rows: list[list[str]] = []
    for number, cells in enumerate(sheet.iter_rows(), (sheet.start or (0, 0))[0] + 1):
        row = [cell if isinstance(cell, str) else as_read(cell) for cell in cells]
        if any(row):
            numbers.append(number)
            rows.append(row)
        if len(rows) == BATCH:
            _put((numbers, rows))
            numbers, rows = [], []
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
    if isinstance(cell, datetime | date | time | timedelta | int):
        return str(cell)
    return "" if cell is None else str(cell)


def _put(document: object) -> None:
    data = msgspec.msgpack.encode(document)
    sys.stdout.buffer.write(len(data).to_bytes(4, "big") + data)


if __name__ == "__main__":
    main(*sys.argv[1:])
