"""What a sheet says beside its cells: which are merged, which lead to an address, how many rows nobody sees."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

import msgspec

_MAILTO: Final = re.compile(r"mailto:([^?\s]+@[^?\s]+)", re.IGNORECASE)
_PLACE: Final = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")

_LONGEST: Final = 9

Merged = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last cell of a merged range, each as row and column, counted from 0."""


class Beside(msgspec.Struct):
    """Rows are counted from 1, columns from 0."""

    merged: dict[int, list[tuple[int, int]]] = {}
    """By the row in which it begins, the column of a cell that is merged downwards, and its last row."""
    links: dict[int, list[tuple[int, str]]] = {}
    """By row, the column of a cell that leads to an address, and the address."""
    hidden: int = 0

    def merge(self, ranges: Iterable[Merged]) -> None:
        """Note merged ranges; those of a single row change nothing."""
        for (first, column), (last, _) in ranges:
            if last > first:
                self.merged.setdefault(first + 1, []).append((column, last + 1))

    def link(self, cell: tuple[int, int] | None, target: str) -> None:
        """Note where a cell leads, if it is an address."""
        if cell and (address := _MAILTO.match(target)):
            self.links.setdefault(cell[0] + 1, []).append((cell[1], unquote(address[1])))

    def told(self, rows: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
        """
        The rows with what their cells show or hide: a merged cell in each of its rows, and in a row that shows no
        address the one that a link leads to, as `Write here <address>`.
        """
        carried: dict[int, tuple[int, str]] = {}
        for number, cells in rows:
            for column, (last, text) in carried.items():
                if number <= last and not "".join(cells[column : column + 1]):
                    _put(cells, column, text)
            for column, last in self.merged.get(number, ()):
                carried[column] = last, "".join(cells[column : column + 1])
            if number in self.links and not any("@" in cell for cell in cells):
                for column, address in self.links[number]:
                    _put(cells, column, f"{''.join(cells[column : column + 1])} <{address}>".strip())
            yield number, cells


def range_of(places: str) -> Merged | None:
    """
    The ends of a range.

    >>> range_of("A5:B6"), range_of("A5"), range_of("everything")
    (((4, 0), (5, 1)), None, None)
    """
    first, _, last = places.partition(":")
    ends = place_of(first), place_of(last)
    return (ends[0], ends[1]) if ends[0] and ends[1] else None


def place_of(place: str) -> tuple[int, int] | None:
    """
    The row and the column of a cell's reference, counted from 0.

    >>> place_of("A1"), place_of("$AA$12:B13"), place_of("A")
    ((0, 0), (11, 26), None)
    """
    found = _PLACE.match(place)
    return (int(found[2]) - 1, column_of(found[1])) if found else None


@lru_cache(1 << 12)
def column_of(letters: str) -> int:
    """
    The column of a cell's reference, counted from 0; of one that no sheet has, a number that is far too large.

    >>> column_of("A"), column_of("AA"), column_of("XFD")
    (0, 26, 16383)
    """
    number = 0
    for letter in letters[:_LONGEST].upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def _put(cells: list[str], column: int, text: str) -> None:
    if text:
        cells.extend([""] * (column + 1 - len(cells)))
        cells[column] = text
