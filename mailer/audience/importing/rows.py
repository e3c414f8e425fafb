"""
From rows of cells to the people they name, or to the reason why not.

Nearly every row of a list is straight: as many cells as headings, one valid address. Straight rows are read by the
column, a batch at a time; the others one by one.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Final

import msgspec

from mailer.address import InvalidAddress, address_key, domain_of, parse_address
from mailer.audience.importing.addresses import addresses_in, is_straight
from mailer.audience.importing.cells import LONGEST, clean, clean_often, country_code, language_code
from mailer.audience.importing.headings import EMAIL, SURNAME, Columns
from mailer.audience.importing.lookalikes import lookalike
from mailer.audience.importing.sheet import Row
from mailer.audience.register import Arrival

_OFTEN: Final = ("honorific", "position", "institution")


class Batch(msgspec.Struct):
    """Some rows, read: who arrives, what is wrong with which line, and what was set right on the way."""

    arrivals: list[Arrival] = []
    problems: dict[int, list[str]] = {}
    notes: dict[int, list[str]] = {}
    extra_addresses: int = 0


class RowReader:
    """Reads the rows of one list. It never raises: what is wrong comes back as sentences."""

    def __init__(self, columns: Columns, width: int) -> None:
        self._columns = columns
        self._width = width
        self._emails = columns.of[EMAIL]

    def read(self, rows: Iterable[Row]) -> Batch:
        """Read some rows, none of which is empty."""
        straight: list[Row] = []
        emails: list[str] = []
        batch = Batch()
        at, width, is_simple = self._emails[0], self._width, len(self._emails) == 1
        for row in rows:
            cells = row[1]
            if is_simple and len(cells) == width and is_straight(cells[at]):
                try:
                    emails.append(parse_address(cells[at]))
                except InvalidAddress:
                    pass
                else:
                    straight.append(row)
                    continue
            self._read_odd(row, batch)
        if straight:
            self._read_straight(straight, emails, batch)
        return batch

    def _read_straight(self, rows: Sequence[Row], emails: Sequence[str], batch: Batch) -> None:
        columns = list(zip(*(cells for _, cells in rows), strict=True))
        if any(max(map(len, column)) > LONGEST for column in columns):
            for row in rows:
                self._read_odd(row, batch)
            return
        is_first = not batch.arrivals
        batch.arrivals += self._arrivals([line for line, _ in rows], emails, columns, batch)
        if not is_first:
            batch.arrivals.sort()  # by line

    def _read_odd(self, row: Row, batch: Batch) -> None:
        line, cells = row
        found, problems = addresses_in(";".join(cells[column] for column in self._emails if column < len(cells)))
        if problem := _misfit(cells, self._width):
            found, problems = [], [problem]
        elif not found:
            problems = problems or ["the row has no address"]
        if problems:
            batch.problems[line] = problems
        if len(found) > 1:
            batch.extra_addresses += len(found) - 1
            batch.notes.setdefault(line, []).append(f"{len(found)} addresses in one row: {', '.join(found)}")
        padded = [*cells, *repeat("", self._width - len(cells))]
        columns = [(cell,) * len(found) for cell in padded]
        batch.arrivals += self._arrivals([line] * len(found), found, columns, batch)

    def _arrivals(
        self, lines: Sequence[int], emails: Sequence[str], columns: Sequence[Sequence[str]], batch: Batch
    ) -> Iterable[Arrival]:
        def column(field: str) -> Iterable[str]:
            at = self._columns.first(field)
            return repeat("", len(lines)) if at is None else columns[at]

        names: Iterable[str] = map(clean, column("name"))
        if self._columns.first(SURNAME) is not None:
            names = (f"{name} {clean(surname)}".strip() for name, surname in zip(names, column(SURNAME), strict=True))
        domains = list(map(domain_of, emails))
        if any(map(lookalike, set(domains))):
            _tell_lookalikes(lines, domains, batch)
        keys = [email.lower() if email.isascii() else address_key(email) for email in emails]
        return map(
            Arrival,
            lines,
            emails,
            keys,
            domains,
            names,
            *(map(clean_often, column(field)) for field in _OFTEN),
            map(country_code, column("country")),
            _languages(lines, list(column("language")), batch),
        )


def _tell_lookalikes(lines: Sequence[int], domains: Sequence[str], batch: Batch) -> None:
    for line, domain in zip(lines, domains, strict=True):
        if meant := lookalike(domain):
            batch.notes.setdefault(line, []).append(f"is {domain} meant to be {meant}? It went in as it stands")


def _languages(lines: Sequence[int], cells: Sequence[str], batch: Batch) -> Iterable[str]:
    codes = list(map(language_code, cells))
    if None in codes:
        for line, cell, code in zip(lines, cells, codes, strict=True):
            if code is None:
                batch.notes.setdefault(line, []).append(f"the language {cell[:40]!r} is not known and was left out")
    return [code or "" for code in codes]


def _misfit(cells: Sequence[str], width: int) -> str | None:
    if len(cells) > width and width > 1 and any(cell.strip() for cell in cells[width:]):
        return f"the row has {len(cells)} cells and the heading {width}; is a separator inside an unquoted cell?"
    if max(map(len, cells), default=0) > LONGEST:
        return f"a cell holds more than {LONGEST} characters; is a quotation mark left open?"
    return None
