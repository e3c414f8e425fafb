"""
A look at a workbook's package before anything unpacks it: what it claims to hold, and whether it declares entities.

Its claims may be lies; what reads it is held to bounds (`bounds`), so that a lie only ends the reader.
"""

import zipfile
import zlib
from pathlib import Path
from typing import Final

from mailer.errors import AuthorError

_LARGEST_FILE: Final = 100 << 20
_LARGEST_HELD: Final = 160 << 20
_LARGEST_STREAMED: Final = 2 << 30
_UNSUSPICIOUS: Final = 48 << 20
_THICKEST: Final = 40
"""A sheet of words shrinks to a tenth when it is packed; what is large and packed this many times is a bomb."""
_MOST_ENTRIES: Final = 2000
_START: Final = 4096
_CHUNK: Final = 1 << 20
_PACKINGS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Part 2, 7.3.6 knows no others; some of them need hundreds of megabytes for a first look."""


def check_package(path: Path) -> tuple[int, bool]:
    """
    Refuse a workbook that says of itself that it is too much; gives the bytes that it claims to
    unpack to, and whether it can be read as it streams.

    Raises:
        AuthorError: It unpacks to more than a list of people, declares entities of its own, or is broken.

    """
    size = path.stat().st_size
    if size > _LARGEST_FILE:
        raise AuthorError("the workbook has more than 100 MB; save the sheet as CSV and import that", path)
    if not zipfile.is_zipfile(path):
        _refuse_locked(path)
        return size, False
    try:
        with zipfile.ZipFile(path) as package:
            is_streamable = "xl/workbook.xml" in package.namelist()
            read = [entry for entry in package.infolist() if entry.filename.endswith((".xml", ".rels", ".bin"))]
            claimed = sum(entry.file_size for entry in read)
            if len(package.infolist()) > _MOST_ENTRIES or claimed > _most_unpacked(size, is_streamable=is_streamable):
                raise AuthorError(
                    "the workbook unpacks to more than a list of people can be; save the sheet as CSV", path
                )
            if any(entry.compress_type not in _PACKINGS for entry in package.infolist()):
                raise AuthorError("the workbook is packed as no spreadsheet program does it; save it again", path)
            if any(_declares_entities(package, entry) for entry in read):
                raise AuthorError("the workbook declares entities of its own, which no spreadsheet does", path)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError, OSError) as problem:
        raise AuthorError(f"the workbook is damaged or locked ({problem}); save it again, or as CSV", path) from None
    return claimed, is_streamable


def _most_unpacked(size: int, *, is_streamable: bool) -> int:
    return max(_UNSUSPICIOUS, min(_LARGEST_STREAMED if is_streamable else _LARGEST_HELD, size * _THICKEST))


def _refuse_locked(path: Path) -> None:
    """A workbook with a password is a compound file with a stream of this name ([MS-OFFCRYPTO] 2.3.4)."""
    mark, before = "EncryptedPackage".encode("utf-16-le"), b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if mark in before[-len(mark) :] + chunk:
                raise AuthorError("the workbook is locked with a password; save it without one", path)
            before = chunk


def _declares_entities(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    with package.open(entry) as file:
        start = file.read(_START)
    return b"<!DOCTYPE" in start or b"<!ENTITY" in start
