"""Lists as spreadsheets: xlsx, xls and ods, through calamine, with a look at the package before it is opened."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from mailer.audience.importing.sheet import Row, Sheet
from mailer.errors import AuthorError, Refused

_LARGEST_FILE: Final = 100 << 20
_LARGEST_UNPACKED: Final = 400 << 20
_MOST_ENTRIES: Final = 5000


def read_spreadsheet(path: Path, *, sheet: str | None = None) -> Sheet:
    """
    Open one sheet of a workbook: the one named, or the first that has cells.

    Raises:
        AuthorError: The file is no workbook, or one that would unpack to more than a list can be.
        Refused: It has no sheet of that name.

    """
    from python_calamine import CalamineError, CalamineWorkbook

    _check_package(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise Refused(f"the workbook has no sheet {sheet!r}; its sheets are {', '.join(names)}")
        for name in [sheet] if sheet is not None else names:
            found = book.get_sheet_by_name(name)
            if found.height:
                break
        else:
            raise AuthorError("the workbook holds no cells", path)
        top = found.start[0] if found.start else 0
        return Sheet(rows=_rows(found, top), described=f"sheet {found.name!r}")
    except (CalamineError, zipfile.BadZipFile, ValueError, OSError) as problem:
        raise AuthorError(f"the workbook can't be read ({problem}); save it again, or as CSV", path) from None


def _check_package(path: Path) -> None:
    if path.stat().st_size > _LARGEST_FILE:
        raise AuthorError("the workbook has more than 100 MB; save the sheet as CSV and import that", path)
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as package:
        entries = package.infolist()
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > _LARGEST_UNPACKED:
        raise AuthorError("the workbook unpacks to more than a list of people can be; save the sheet as CSV", path)


def _rows(sheet: Any, top: int) -> Iterator[Row]:
    for number, cells in enumerate(sheet.iter_rows(), top + 1):
        yield number, [_text(cell) for cell in cells]


def _text(cell: Any) -> str:
    """
    The cell as it reads on the screen: calamine gives telephone numbers as floats.

    >>> _text(593_999_123_456.0), _text(2.5), _text(True)
    ('593999123456', '2.5', 'TRUE')
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime | date | time | timedelta | int):
        return str(cell)
    return "" if cell is None else str(cell)
