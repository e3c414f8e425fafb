"""A list as it was found: rows of cells, and where the heading stands."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from mailer.address import InvalidAddress, parse_address
from mailer.audience.importing.headings import EMAIL, Columns, field_of, recognise
from mailer.errors import AuthorError

Row = tuple[int, list[str]]
"""The line (or the row of the sheet) that it begins on, counted from 1, and its cells."""


class Block(NamedTuple):
    """Some rows that follow each other: the line on which each begins, and its cells."""

    lines: Sequence[int]
    rows: Sequence[Sequence[str]]

    @property
    def longest(self) -> int:
        """How many characters the longest row has."""
        return max(map(len, map("".join, self.rows)))

    def columns(self, width: int) -> Sequence[Sequence[str]] | None:
        """The cells by the column; None unless each row has as many as that."""
        return list(zip(*self.rows, strict=True)) if {*map(len, self.rows)} == {width} else None


class EvenBlock(NamedTuple):
    """The same of rows that have as many cells each: they are held by the column."""

    lines: Sequence[int]
    held: Sequence[Sequence[str]]
    longest: int

    @property
    def rows(self) -> Sequence[Sequence[str]]:
        """The cells by the row."""
        return list(zip(*self.held, strict=True))

    def columns(self, width: int) -> Sequence[Sequence[str]] | None:
        """The cells by the column; None unless each row has as many as that."""
        return self.held if len(self.held) == width else None


AnyBlock = Block | EvenBlock

ROWS: Final = 4000
CELLS: Final = 100_000
"""A block has as many rows and, if there are several, as many cells at the most."""

_SEARCHED: Final = 30
"""A heading stands within so many rows, below a title at most."""

_MOST_COLUMNS: Final = 1000


class Sheet(msgspec.Struct, frozen=True):
    """Rows as the file has them, with what was found out about the file."""

    blocks: Iterator[AnyBlock]
    described: str
    separator: str = ","
    hidden: int = 0
    """How many rows of it the program that saved it doesn't show."""
    close: Callable[[], None] = lambda: None


class Table(msgspec.Struct, frozen=True):
    """A sheet whose heading was found: its columns, and the rows below."""

    headings: Sequence[str]
    columns: Columns
    blocks: Iterator[AnyBlock]


def find_heading(
    sheet: Sheet,
    path: Path,
    mapping: Mapping[str, str] | None = None,
    remembered: Mapping[str, str] | None = None,
) -> Table:
    """
    Find the row of headings: the one of the first rows in which most cells are known words for fields.

    A list that begins with an address has no heading; it is taken if it is a single column.

    Raises:
        AuthorError: The list is empty or no column is headed as an address.
        Refused: The mapping names what isn't there.

    """
    first = _first(sheet.blocks)
    head = list(zip(first.lines, first.rows, strict=True))[:_SEARCHED]
    filled = [(line, cells) for line, cells in head if re.search(r"\w", "".join(cells))]
    if not filled:
        raise AuthorError("the list is empty", path)
    if max(len(cells) for _, cells in filled) > _MOST_COLUMNS:
        raise AuthorError(f"the list has more than {_MOST_COLUMNS} columns: this is no list of people", path)
    if all(len([cell for cell in cells if cell.strip()]) == 1 for _, cells in filled) and _is_address(filled[0][1]):
        column = next(number for number, cell in enumerate(filled[0][1]) if cell.strip())
        return Table(headings=("",), columns=Columns(of={EMAIL: (column,)}), blocks=chain([first], sheet.blocks))
    told = {**(remembered or {}), **(mapping or {})}
    at = max(range(len(head)), key=lambda index: (*_merit(head[index][1], told), -index))
    line, headings = head[at][0], _whole_headings([cells for _, cells in head[: at + 1]])
    try:
        columns = recognise(headings, mapping, remembered)
    except AuthorError as problem:
        raise AuthorError(problem.message, path, line) from None
    if _is_address([headings[columns.of[EMAIL][0]]]):  # a person said which column it is, of a list without a heading
        return Table(headings=[""] * len(headings), columns=columns, blocks=chain([first], sheet.blocks))
    below = Block(first.lines[at + 1 :], first.rows[at + 1 :])
    return Table(headings=headings, columns=columns, blocks=chain([below], sheet.blocks))


def _first(blocks: Iterator[AnyBlock]) -> Block:
    """The first rows of a list, however they come."""
    lines: list[int] = []
    rows: list[Sequence[str]] = []
    for block in blocks:
        lines += block.lines
        rows += block.rows
        if len(rows) >= _SEARCHED:
            break
    return Block(lines, rows)


def _whole_headings(rows: Sequence[Sequence[str]]) -> list[str]:
    """The last of these rows, an empty cell filled from the row above: where headings are merged over two rows."""
    above, own = rows[-2] if len(rows) > 1 else (), list(rows[-1])
    if sum(1 for cell in above if cell.strip()) < 2:  # noqa: PLR2004 — a single cell is a title
        return own
    own += [""] * (len(above) - len(own))
    return [cell if cell.strip() or at >= len(above) else above[at] for at, cell in enumerate(own)]


def _merit(cells: Sequence[str], told: Mapping[str, str]) -> tuple[int, int, int]:
    mapped = {heading.casefold() for heading in told.values()}
    fields = [field_of(cell) for cell in cells]
    known = sum(1 for field in fields if field) + sum(1 for cell in cells if cell.strip().casefold() in mapped)
    holds_address = any("@" in cell for cell in cells)
    return (EMAIL in fields) + 0, 0 if holds_address else known, 0 if holds_address else len([c for c in cells if c])


def _is_address(cells: Sequence[str]) -> bool:
    try:
        parse_address(next((cell for cell in cells if cell.strip()), "").strip())
    except InvalidAddress:
        return False
    return True
