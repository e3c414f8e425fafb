"""
A look into a workbook's package before anything opens it: what would unpack to more than a list can be is refused.

The entries are unpacked here, counted, and let go: at most a piece of one is in memory at a time.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mailer.errors import AuthorError

_LARGEST_FILE: Final = 100 << 20
_LARGEST_UNPACKED: Final = 160 << 20  # as much as two seconds unpack
_MOST_ENTRIES: Final = 2000
_MOST_CELLS: Final = 4_000_000
_LARGEST_RANGE: Final = 6_000_000  # the reader takes room for every cell between the first and the last
_MOST_REPEATED: Final = 1 << 26
_PIECE: Final = 1 << 20
_OVERLAP: Final = 64

_REFERENCE: Final = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,8})"')
# Beyond the column Z, or beyond the row with which A to Z have as many cells as a list can have.
_FAR_REFERENCE: Final = re.compile(rb'\br="(?:[A-Z]{2,3}[0-9]{1,8}|[A-Z]?(?:2[3-9][0-9]{4}|[3-9][0-9]{5}|[0-9]{7,8}))"')
_ROW: Final = re.compile(rb'<row\b[^>]{0,200}\br="([0-9]{6,8})"')
_LONG_TEXT: Final = re.compile(rb"(?:\A|>)[^<>]{1000,}")
_REPEATED: Final = re.compile(rb'number-(columns|rows)-repeated="([0-9]{1,12})"')


def check_package(path: Path) -> None:
    """
    Refuse a workbook that is a bomb: too many bytes, cells, entries, or entities of its own.

    Raises:
        AuthorError: It unpacks to more than a list of people, or is broken.

    """
    if path.stat().st_size > _LARGEST_FILE:
        raise AuthorError("the workbook has more than 100 MB; save the sheet as CSV and import that", path)
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as package:
            entries = package.infolist()
            if len(entries) > _MOST_ENTRIES:
                raise _too_much(path)
            opened = [entry for entry in entries if entry.filename.endswith((".xml", ".rels", ".bin"))]
            if sum(entry.file_size for entry in opened) > _LARGEST_UNPACKED:
                raise _too_much(path)
            inspection = _Inspection(path)
            for entry in opened:
                inspection.inspect(entry.filename, _pieces(package, entry))
            inspection.finish()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError, OSError) as problem:
        raise AuthorError(f"the workbook is damaged or locked ({problem}); save it again, or as CSV", path) from None


def _pieces(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with package.open(entry) as file:  # stops at the size that the directory claims; the checksum tells a lie
        while piece := file.read(_PIECE):
            yield piece


def _too_much(path: Path) -> AuthorError:
    return AuthorError("the workbook unpacks to more than a list of people can be; save the sheet as CSV", path)


class _Inspection:
    """What the entries of one workbook add up to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = 0
        self._cells = 0
        self._longest = 0

    def inspect(self, name: str, pieces: Iterator[bytes]) -> None:
        tail = b""
        last_column, last_row, repeated = 26, 99_999, 0
        for number, piece in enumerate(pieces):
            self._bytes += len(piece)
            if self._bytes > _LARGEST_UNPACKED:
                raise _too_much(self._path)
            text = tail + piece
            if number == 0 and (b"<!DOCTYPE" in text[:4096] or b"<!ENTITY" in text[:4096]):
                raise AuthorError("the workbook declares entities of its own, which no spreadsheet does", self._path)
            self._cells += piece.count(b"<c ") + piece.count(b"<c>") + piece.count(b"<table:table-cell")
            self._cells += 2 * piece.count(b"<si>")  # a shared string is kept whole until the end
            if self._cells > _MOST_CELLS:
                raise _too_much(self._path)
            if _FAR_REFERENCE.search(text):
                for column, row in _REFERENCE.findall(text):
                    last_column, last_row = max(last_column, _number(column)), max(last_row, int(row))
                last_row = max([last_row, *map(int, _ROW.findall(text))])
                if name.startswith("xl/worksheets") and last_column * last_row > _LARGEST_RANGE:
                    raise AuthorError(
                        "a cell stands so far from the others that the sheet would be larger than any list; "
                        "delete what is outside the table, or save it as CSV",
                        self._path,
                    )
            if long := _LONG_TEXT.search(text):
                self._longest = max(self._longest, len(long[0]))
            repeated = max(repeated, *_repeats(text), 0)
            tail = text[-_OVERLAP:]
        if repeated > _MOST_REPEATED:
            raise _too_much(self._path)

    def finish(self) -> None:
        if self._cells * self._longest > _LARGEST_UNPACKED:
            raise _too_much(self._path)


def _repeats(text: bytes) -> list[int]:
    """How far the repetitions of an ods reach; its row of a million empty rows at the end is usual."""
    return [int(count) for what, count in _REPEATED.findall(text) if what == b"columns" or int(count) > 1 << 21]


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number
