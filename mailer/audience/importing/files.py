"""Which kind of file a list is, and its opening."""

from pathlib import Path
from typing import Final

from mailer.audience.importing.delimited import read_text
from mailer.audience.importing.sheet import Sheet
from mailer.audience.importing.spreadsheet import read_spreadsheet
from mailer.errors import AuthorError

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS: Final = (
    (b"%pdf", "a PDF; ask for the spreadsheet it was made from"),
    (b"<!doctype", "a web page, whatever its name says; open it in a spreadsheet program and save it as xlsx or CSV"),
    (b"<html", "a web page, whatever its name says; open it in a spreadsheet program and save it as xlsx or CSV"),
    (b"<table", "a web page, whatever its name says; open it in a spreadsheet program and save it as xlsx or CSV"),
    (b"<?xml", "an XML file; open it in a spreadsheet program and save it as xlsx or CSV"),
    (b"<meta", "a web page, whatever its name says; open it in a spreadsheet program and save it as xlsx or CSV"),
    (b"<style", "a web page, whatever its name says; open it in a spreadsheet program and save it as xlsx or CSV"),
    (b"[{", "a file of JSON; export the list as CSV"),
    (b'{"', "a file of JSON; export the list as CSV"),
    (b"{\\rtf", "a text document; copy its table into a spreadsheet"),
    (b"\x1f\x8b", "a compressed file; unpack it first"),
    (b"7z\xbc\xaf", "a compressed file; unpack it first"),
    (b"rar!", "a compressed file; unpack it first"),
    (b"begin:vcard", "a file of contact cards; export it as CSV"),
    (b"sqlite format", "a database; export the table as CSV"),
)
"""How files that are no lists begin, in lower case, and what to tell about them."""


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
            start = file.read(512)
    except OSError as problem:
        raise AuthorError(f"the list can't be read ({problem.strerror})", path) from None
    if start.startswith((_ZIP, _OLE)):
        return read_spreadsheet(path, sheet=sheet)
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for opening, what in _OTHERS:
        if bare.startswith(opening):
            raise AuthorError(f"that is {what}", path)
    return read_text(path, encoding=encoding, separator=separator)
