"""Lists as text: csv and tsv, in whichever encoding and with whichever separator."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import IO, Final

from mailer.audience.importing.encoding import Unreadable, encoding_of
from mailer.audience.importing.headings import EMAIL, field_of
from mailer.audience.importing.sheet import CELLS, ROWS, Block, Sheet
from mailer.errors import AuthorError, Refused

SEPARATORS: Final = {";": ";", ",": ",", "|": "|", "\t": "\t", "tab": "\t", "\\t": "\t"}
_CHUNK: Final = 1 << 17
_LONGEST_LINE: Final = 1 << 17
_LARGEST_FILE: Final = 512 << 20
_LONGEST_CELL: Final = 1 << 16
_SNIFFED_LINES: Final = 40
_PIECE: Final = 50
_CHARACTERS: Final = 4 << 20
"""A block of rows ends when so many characters were read for it."""
_MOST_COLUMNS: Final = 1000
_ANNOUNCED: Final = re.compile(r'"?sep=([;,|\t])"?\s*', re.IGNORECASE)
_END: Final = "\ue000end of the list\ue000"
"""A last line of our own: found inside a cell, it tells that a quotation mark was never closed."""


def read_text(path: Path, *, encoding: str | None = None, separator: str | None = None) -> Sheet:
    """
    Open a delimited list; its rows are read as they are asked for.

    Raises:
        AuthorError: A line is endless, a quotation mark stays open, or the bytes are no text.
        Refused: The separator asked for is none that lists use, or the encoding is unknown.

    """
    if separator is not None and separator.lower() not in SEPARATORS:
        raise Refused(f"{separator!r} is no separator of lists; use one of ; , | or tab")
    if path.stat().st_size > _LARGEST_FILE:
        raise AuthorError("the list has more than 512 MB: this is no list of people; if it is, split it", path)
    with path.open("rb") as file:
        try:
            encoding = encoding or encoding_of(_bounded(file, path))
        except Unreadable as problem:
            raise AuthorError(str(problem), path) from None
    try:
        text = path.open(encoding=encoding, newline=None)
    except LookupError:
        raise Refused(f"the encoding {encoding!r} is not known; try utf-8 or cp1252") from None
    try:
        return _sheet(text, path, encoding, separator)
    except UnicodeError as problem:
        text.close()
        raise AuthorError(f"the list isn't written in {encoding} ({problem}); name its --encoding", path) from None
    except BaseException:
        text.close()
        raise


def _sheet(text: IO[str], path: Path, encoding: str, separator: str | None) -> Sheet:
    reading = _Reading(text, path)
    lines = chain.from_iterable(map(io.StringIO, reading.pieces()))
    head = list(islice(lines, _SNIFFED_LINES))
    skipped = 0
    if head and (announced := _ANNOUNCED.fullmatch(head[0])):
        separator = separator or announced[1]
        head, skipped = head[1:], 1
    chosen = SEPARATORS[separator.lower()] if separator else _separator(head)
    return Sheet(
        blocks=_blocks(chain(head, lines, [_END]), reading, separator=chosen, skipped=skipped),
        described=f"{encoding}, {'tab' if chosen == chr(9) else f'“{chosen}”'}",
        separator=chosen,
        close=text.close,
    )


def _bounded(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """The file in pieces, none of which ends a line that goes on for ever."""
    since = 0
    while chunk := file.read(_CHUNK):
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        since = since + len(chunk) if end < 0 else len(chunk) - end
        if since > 4 * _LONGEST_LINE:  # four bytes a character at most
            raise _endless(path)
        yield chunk


def _endless(path: Path, line: int | None = None) -> AuthorError:
    return AuthorError(f"a line has more than {_LONGEST_LINE:,} characters: this is no list of people", path, line)


class _Reading:
    """The text in pieces of whole lines, none of them endless; NUL bytes, which some exports scatter, are dropped."""

    def __init__(self, text: IO[str], path: Path) -> None:
        self._text = text
        self.path = path
        self.characters = 0
        """How many were given out so far."""

    def pieces(self) -> Iterator[str]:
        rest = ""
        lines = 1
        while chunk := self._text.read(_CHUNK):
            if "\0" in chunk:
                chunk = chunk.replace("\0", "")
            whole, end, rest_of_chunk = chunk.rpartition("\n")
            if end:
                piece = f"{rest}{whole}\n"
                lines += piece.count("\n")
                rest = rest_of_chunk
                self.characters += len(piece)
                if self.characters > _LARGEST_FILE:
                    raise AuthorError("the list grows while it is read; wait until it is written", self.path)
                yield piece
            else:
                rest += chunk
            if len(rest) > _LONGEST_LINE:
                raise _endless(self.path, lines)
        if rest:
            yield rest + "\n"


def _separator(lines: Sequence[str]) -> str:
    """The separator under which most rows agree on their number of cells, and under which an address is headed."""

    def merit(separator: str) -> tuple[bool, int, int]:
        rows = [row for row in csv.reader(lines, delimiter=separator) if any(cell.strip() for cell in row)]
        widths = Counter(len(row) for row in rows)
        width, agreeing = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(0, 0))
        headed = any(len(row) > 1 and any(field_of(cell) == EMAIL for cell in row) for row in rows)
        return headed, agreeing if width > 1 else 0, width

    try:
        return max((";", ",", "\t", "|"), key=merit)
    except csv.Error:
        return ","


def _blocks(lines: Iterator[str], reading: _Reading, *, separator: str, skipped: int) -> Iterator[Block]:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(lines, delimiter=separator)
    path, before, is_over = reading.path, skipped, False
    while not is_over:
        rows: list[list[str]] = []
        trouble = _read_some(reader, rows, reading)
        is_over = trouble is not None or (bool(rows) and bool(rows[-1]) and _END in rows[-1][-1])
        if rows and max(map(len, rows)) > _MOST_COLUMNS:
            raise AuthorError(f"a row has more than {_MOST_COLUMNS} cells: this is no list of people", path, before + 1)
        starts = _starts(rows, before, is_plain=trouble is None and reader.line_num + skipped - before == len(rows))
        if is_over and trouble is None:
            if rows[-1] != [_END]:
                raise AuthorError("a quotation mark is opened in this row and never closed", path, starts[-2])
            rows.pop()
        yield Block(starts[: len(rows)], rows)
        before = starts[-1] - 1
        if trouble is not None:
            raise AuthorError(trouble, path, before + 1)


def _read_some(reader: Iterator[list[str]], rows: list[list[str]], reading: _Reading) -> str | None:
    """Read a block's rows, and say what keeps the reader from going on; what was read before stays."""
    cells, most = 0, reading.characters + _CHARACTERS
    try:
        while len(rows) < ROWS and cells < CELLS and reading.characters < most:
            many = len(rows)
            rows.extend(islice(reader, _PIECE))
            if len(rows) < many + _PIECE:
                return None
            cells += _PIECE * len(rows[-1])
    except csv.Error as problem:
        return f"the row can't be read ({problem}); is a quotation mark left open?"
    except UnicodeError as problem:
        return f"the list isn't written in one encoding ({problem}); name its --encoding"
    return None


def _starts(rows: Sequence[Sequence[str]], before: int, *, is_plain: bool) -> Sequence[int]:
    """The line on which each row begins, and the one behind them all; a row is a line unless cells have several."""
    if is_plain:
        return range(before + 1, before + len(rows) + 2)
    return list(accumulate(map(_lines_of, rows), initial=before + 1))


def _lines_of(cells: Sequence[str]) -> int:
    """How many lines of the file a row takes: one, and one more for each line end in a cell."""
    return 1 + sum(cell.count("\n") for cell in cells)
