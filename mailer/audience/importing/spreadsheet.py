"""Lists as spreadsheets: xlsx, xls and ods, through calamine, in a process that can't take the machine down."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Final

import msgspec

from mailer.audience.importing.bounds import is_out_of_time, seconds_for
from mailer.audience.importing.package import check_package
from mailer.audience.importing.sheet import Block, Sheet
from mailer.audience.importing.workbook import FAR, HELD, NO_ROOM, STREAMED, TOLD, Header
from mailer.errors import AuthorError, Refused

_READER: Final = "mailer.audience.importing.workbook"
_TOLD: Final = 4 << 20
"""Of an xlsx or ods that unpacks to no more, some 8,000 rows, what stands beside its cells is looked at too."""
_HELD: Final = 48 << 20
"""One that unpacks to more is read as it streams, and so is one that turns out to need more room."""
_TOO_MUCH: Final = ("limit exceeded", "xml_parse_huge")
_NO_WORKBOOK: Final = "Cannot detect file format"
_LOCKED: Final = ("password", "encrypt")


def read_spreadsheet(path: Path, *, sheet: str | None = None) -> Sheet:
    """
    Open one sheet of a workbook: the one named, or the first that has cells.

    Raises:
        AuthorError: The file is no workbook, or one that would unpack to more than a list can be.
        Refused: It has no sheet of that name.

    """
    claimed, is_streamable = check_package(path)
    for way in _ways(claimed, is_streamable=is_streamable):
        header, reader = _opened(path, way, seconds_for(claimed), sheet)
        if not header.problem:
            described = f"“{header.sheet}”"
            close = partial(_end, reader)
            return Sheet(blocks=_blocks(reader, path), described=described, hidden=header.hidden, close=close)
        _end(reader)
        if header.problem != NO_ROOM:
            break
    raise _explained(header, path, sheet)


def _ways(claimed: int, *, is_streamable: bool) -> list[str]:
    """How to read a workbook, and how if that takes too much memory."""
    if not is_streamable:
        return [f"{HELD} {TOLD}" if claimed <= _TOLD else HELD]
    if claimed <= _TOLD:
        return [f"{STREAMED} {TOLD}", STREAMED]
    return [HELD, STREAMED] if claimed <= _HELD else [STREAMED]


def _opened(path: Path, way: str, seconds: float, sheet: str | None) -> "tuple[Header, subprocess.Popen[bytes]]":
    """A reader that was started, and what it said first."""
    command = [sys.executable, "-m", _READER, str(path), way, str(seconds), *([sheet] if sheet is not None else [])]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)  # noqa: S603 — our own module
    assert reader.stdout is not None
    try:
        said = _next(reader.stdout)
        return msgspec.msgpack.decode(said, type=Header) if said else Header(problem=_end_of(reader)), reader
    except BaseException:
        _end(reader)
        raise


def _explained(header: Header, path: Path, sheet: str | None) -> AuthorError | Refused:
    if header.problem == "no such sheet":
        return Refused(f"the workbook has no sheet {sheet!r}; its sheets are {', '.join(header.sheets)}")
    if header.problem == "no cells":
        return AuthorError("the workbook holds no cells", path)
    if header.problem in {NO_ROOM, FAR}:
        return _too_much(path)
    if any(word in header.problem.lower() for word in _TOO_MUCH):
        return _too_much(path)
    if _NO_WORKBOOK in header.problem:
        return AuthorError(
            "that is no workbook, but a text document perhaps, or another program's list; save it as xlsx or CSV",
            path,
        )
    if any(word in header.problem.lower() for word in _LOCKED):
        return AuthorError("the workbook is locked with a password; save it without one", path)
    return AuthorError(f"the workbook can't be read ({header.problem}); save it again, or as CSV", path)


def _end_of(reader: "subprocess.Popen[bytes]") -> str:
    """How the reader ended that said nothing: a negative status is a signal's, the kernel's or its own at a bound."""
    status = reader.wait()
    return FAR if is_out_of_time(status) else NO_ROOM if status < 0 else "it broke the reader"


def _too_much(path: Path) -> AuthorError:
    return AuthorError(
        "the workbook takes more memory or time than a list of people can need, or has a cell far from the others; "
        "delete what is outside the table, or save the sheet as CSV",
        path,
    )


def _blocks(reader: "subprocess.Popen[bytes]", path: Path) -> Iterator[Block]:
    assert reader.stdout is not None
    while said := _next(reader.stdout):
        document = msgspec.msgpack.decode(said, type=Block | Header)
        if isinstance(document, Header):
            raise _explained(document, path, None)
        yield document
    if reader.wait() < 0:
        raise _too_much(path)
    if reader.returncode != 0:
        raise AuthorError("the workbook can't be read to its end; save it again, or as CSV", path)


def _next(stream: IO[bytes]) -> bytes:
    return stream.read(int.from_bytes(stream.read(4), "big"))


def _end(reader: "subprocess.Popen[bytes]") -> None:
    if reader.poll() is None:
        reader.kill()
    assert reader.stdout is not None
    reader.stdout.close()
    reader.wait()
