"""Which kind of file a list is, and its opening."""

from pathlib import Path
from typing import Final

from mailer.audience.importing.delimited import read_text
from mailer.audience.importing.sheet import Sheet
from mailer.audience.importing.spreadsheet import read_spreadsheet
from mailer.errors import AuthorError

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def open_list(
    path: Path, *, encoding: str | None = None, separator: str | None = None, sheet: str | None = None
) -> Sheet:
    """
    Open a list by what it is, not by what its name says: a workbook, or text.

    Raises:
        AuthorError: It is missing, no plain file, or can't be read.
        Refused: An option doesn't fit the file.

    """
    try:
        if path.is_dir():
            raise AuthorError("that is a folder; name the file of the list", path)
        if path.exists() and not path.is_file():
            raise AuthorError("that is no plain file but a pipe or a device; save the list to a file first", path)
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as problem:
        raise AuthorError(f"the list can't be read ({problem.strerror})", path) from None
    if start.startswith((_ZIP, _OLE)):
        return read_spreadsheet(path, sheet=sheet)
    return read_text(path, encoding=encoding, separator=separator)
