"""
A workbook read in a process of its own, with a bounded memory: the far end of `spreadsheet`.

Run as `python -m mailer.audience.importing.workbook FILE [SHEET]`, it writes MessagePack to standard output: a header
(the sheet's name, its first row's number), then batches of rows as text, each behind its length in four bytes.
"""

import sys
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

MEMORY: Final = 2 << 30
BATCH: Final = 1000


class Header(msgspec.Struct):
    """What comes first: the sheet, or why there is none."""

    sheet: str = ""
    first_row: int = 1
    problem: str = ""
    sheets: tuple[str, ...] = ()


def main(path: str, sheet: str | None = None) -> None:
    """Write a sheet's rows to standard output."""
    _bound_memory()
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
    except (CalamineError, ValueError, OSError, MemoryError) as problem:
        _put(Header(problem=str(problem) or type(problem).__name__))
        return
    if found is None:
        _put(Header(problem="no cells"))
        return
    _put(Header(sheet=found.name, first_row=(found.start or (0, 0))[0] + 1))
    batch: list[list[str]] = []
    for cells in found.iter_rows():
        batch.append([cell if isinstance(cell, str) else as_read(cell) for cell in cells])
        if len(batch) == BATCH:
            _put(batch)
            batch = []
    _put(batch)


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


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # no such limits on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    main(*sys.argv[1:])
