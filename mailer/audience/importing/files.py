"""Which kind of file a list is, and its opening."""

import re
from pathlib import Path
from typing import Final

from mailer.audience.importing.delimited import read_text
from mailer.audience.importing.sheet import Sheet
from mailer.audience.importing.spreadsheet import read_spreadsheet
from mailer.errors import AuthorError, Refused

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
_PAGE: Final = "a web page, whatever its name says; open it in a spreadsheet program and save it as xlsx or CSV"
_PACKED: Final = "a compressed file; unpack it first"
_FOREIGN: Final = "another program's table; open it in a spreadsheet program and save it as xlsx or CSV"
_OTHERS: Final = (
    (rb"%pdf", "a PDF; ask for the spreadsheet it was made from"),
    (rb"<!doctype|<!--|<html|<head|<body|<table|<meta|<style|<div|mime-version:", _PAGE),
    (rb"<\?xml", "an XML file; open it in a spreadsheet program and save it as xlsx or CSV"),
    (rb'[\[{]\s*["{\[]', "a file of JSON; export the list as CSV"),
    (rb"{\\rtf", "a text document; copy its table into a spreadsheet"),
    (rb"\x1f\x8b|7z\xbc\xaf|rar!|bzh[1-9]|\xfd7zxz|\x28\xb5\x2f\xfd", _PACKED),
    (rb"begin:vcard", "a file of contact cards; export it as CSV"),
    (rb"dn::? ", "an export of a directory (LDIF); export it as CSV"),
    (rb"sqlite format", "a database; export the table as CSV"),
    (rb"id;p[^\r\n]*[\r\n]+[a-z];|table\r?\n0,1\r?\n", _FOREIGN),  # SYLK, DIF
    (rb"[\x03\x30\x83\x8b\xf5].[\x01-\x0c][\x01-\x1f].{2}\0", _FOREIGN),  # dBase: a kind, a date, a count
    (rb"\0\0\x02\0[\x04-\x06]\x04|[\0\x02\x04][\x04\x06]\0", _FOREIGN),  # Lotus, Excel before 5 (whose tab is off)
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
    if start.startswith((*_ZIP, _OLE)):
        if encoding or separator:
            raise Refused("a workbook has neither an --encoding nor a --separator; leave them out")
        return read_spreadsheet(path, sheet=sheet)
    if start.startswith(_WIDE):
        start = start[2:].replace(b"\0", b"")
    begins = start.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").lower()
    for opening, what in _OTHERS:
        if re.match(opening, begins, re.DOTALL):
            raise AuthorError(f"that is {what}", path)
    if sheet is not None:
        raise Refused(f"the list is text, whatever its name says, and has no --sheet {sheet!r}; leave that out")
    return read_text(path, encoding=encoding, separator=separator)
