"""
Text into blocks of rows: split straight where no quotation mark stands, which is most of most lists, and read by csv
where one does.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, islice, repeat
from pathlib import Path
from typing import Final

from mailer.audience.importing.sheet import CELLS, ROWS, AnyBlock, Block, EvenBlock
from mailer.errors import AuthorError

LONGEST_CELL: Final = 1 << 16
MOST_COLUMNS: Final = 1000
_PIECE: Final = 50
_CHARACTERS: Final = 4 << 20
"""A block of rows ends when so many characters were read for it."""
_END: Final = "\ue000end of the list\ue000"
"""A last line of our own: found inside a cell, it tells that a quotation mark was never closed."""


def blocks_of(pieces: Iterator[str], path: Path, *, separator: str, before: int) -> Iterator[AnyBlock]:
    """
    The rows of some text that comes in pieces of whole lines, `before` lines after the file's first.

    Raises:
        AuthorError: A quotation mark stays open, or a row or a cell is far too large.

    """
    csv.field_size_limit(LONGEST_CELL)
    lines: list[str] = []
    characters = 0
    text = next(pieces, "")
    while text:
        if '"' in text:
            yield from _straight(lines, path, separator, before)
            before += len(lines)
            quoted = _Quoted(text, pieces, separator)
            yield quoted.block(path, before)
            before, text, lines, characters = quoted.last, quoted.rest(), [], 0
        else:
            lines += text[:-1].split("\n")
            characters += len(text)
            text = ""
            if len(lines) >= ROWS or characters >= _CHARACTERS:
                many = len(lines) // ROWS * ROWS or len(lines)
                yield from _straight(lines[:many], path, separator, before)
                before, lines, characters = before + many, lines[many:], 0
        text = text or next(pieces, "")
    yield from _straight(lines, path, separator, before)


def _straight(lines: Sequence[str], path: Path, separator: str, before: int) -> Iterator[AnyBlock]:
    """Lines without a quotation mark, each of them a row: at once if all have as many cells."""
    start = 0
    while start < len(lines):
        width = lines[start].count(separator) + 1
        piece = lines[start : start + max(1, min(ROWS, CELLS // width))]
        numbers = range(before + start + 1, before + start + len(piece) + 1)
        longest = max(map(len, piece))
        is_even = {*map(str.count, piece, repeat(separator))} == {width - 1} and "" not in piece
        if is_even and longest <= LONGEST_CELL:
            _require_few(width, path, numbers[0])
            cells = separator.join(piece).split(separator)
            yield EvenBlock(numbers, [cells[at::width] for at in range(width)], longest)
        else:
            yield _uneven(piece, path, separator, numbers)
        start += len(piece)


def _uneven(lines: Sequence[str], path: Path, separator: str, numbers: Sequence[int]) -> Block:
    rows: list[list[str]] = []
    try:
        rows.extend(csv.reader(lines, delimiter=separator))
    except csv.Error as problem:
        raise _unreadable(problem, path, numbers[len(rows)]) from None
    _require_few(max(map(len, rows)), path, numbers[0])
    return Block(numbers, rows)


def _unreadable(problem: csv.Error, path: Path, line: int) -> AuthorError:
    return AuthorError(f"the row can't be read ({problem}); is a quotation mark left open?", path, line)


def _require_few(cells: int, path: Path, line: int) -> None:
    if cells > MOST_COLUMNS:
        raise AuthorError(f"a row has more than {MOST_COLUMNS} cells: this is no list of people", path, line)


class _Quoted:
    """Text that csv reads, row by row, from a quotation mark on and over the ends of pieces."""

    def __init__(self, text: str, pieces: Iterator[str], separator: str) -> None:
        self._at_hand = io.StringIO()
        self._characters = 0
        lines = chain.from_iterable(self._opened(chain([text], pieces)))
        self._reader = csv.reader(chain(lines, [_END]), delimiter=separator)
        self.last = 0
        """The last line that was read."""

    def _opened(self, pieces: Iterator[str]) -> Iterator[io.StringIO]:
        for piece in pieces:
            self._at_hand = io.StringIO(piece)
            self._characters += len(piece)
            yield self._at_hand

    def rest(self) -> str:
        """What is left of the piece at hand."""
        return self._at_hand.read()

    def block(self, path: Path, before: int) -> Block:
        """The next rows."""
        rows: list[list[str]] = []
        try:
            self._read_into(rows)
        except csv.Error as problem:
            raise _unreadable(problem, path, _starts(rows, before)[-1]) from None
        _require_few(max(map(len, rows)), path, before + 1)
        is_plain = self._reader.line_num == len(rows)
        starts = range(before + 1, before + len(rows) + 2) if is_plain else _starts(rows, before)
        if rows[-1] and _END in rows[-1][-1]:
            if rows[-1] != [_END]:
                raise AuthorError("a quotation mark is opened in this row and never closed", path, starts[-2])
            rows.pop()
        self.last = starts[len(rows)] - 1
        return Block(starts[: len(rows)], rows)

    def _read_into(self, rows: list[list[str]]) -> None:
        cells = 0
        while len(rows) < ROWS and cells < CELLS and self._characters < _CHARACTERS:
            many = len(rows)
            rows.extend(islice(self._reader, _PIECE))
            if len(rows) < many + _PIECE:
                return
            cells += _PIECE * len(rows[-1])


def _starts(rows: Sequence[Sequence[str]], before: int) -> list[int]:
    """The line on which each row begins, and the one behind them all; a row is a line unless cells have several."""
    return list(accumulate(map(_lines_of, rows), initial=before + 1))


def _lines_of(cells: Sequence[str]) -> int:
    """How many lines of the file a row takes: one, and one more for each line end in a cell."""
    return 1 + sum(cell.count("\n") for cell in cells)
