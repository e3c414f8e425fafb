"""
From rows of cells to the people they name, or to the reason why not.

Nearly every row of a list is straight: as many cells as headings, one valid address. Straight rows are read by the
column, a batch at a time; the others one by one.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import repeat
from typing import Final

import msgspec

from mailer.address import InvalidAddress, address_key, are_plain, parse_address
from mailer.audience.importing.addresses import addresses_in, is_straight
from mailer.audience.importing.cells import LONGEST, clean_column, country_code, language_code
from mailer.audience.importing.headings import EMAIL, SURNAME, Columns
from mailer.audience.importing.lookalikes import are_lookalikes_among, lookalike
from mailer.audience.importing.sheet import Row
from mailer.audience.register import Arrival


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
        self._used = sorted({at for columns_of in columns.of.values() for at in columns_of})

    def read(self, rows: Sequence[Row]) -> Batch:
        """Read some rows, none of which is empty."""
        batch = Batch()
        straight = rows if self._are_straight(rows) else self._straightened(rows, batch)
        if straight:
            self._read_straight(straight, batch)
        return batch

    def _are_straight(self, rows: Sequence[Row]) -> bool:
        """Whether every row is straight, told of all at once."""
        at = self._emails[0]
        return (
            len(self._emails) == 1
            and {len(cells) for _, cells in rows} <= {self._width}
            and are_plain([cells[at] for _, cells in rows])
        )

    def _straightened(self, rows: Sequence[Row], batch: Batch) -> Sequence[Row]:
        """A straight row for each address in these, the address as it is kept; what has none is a problem."""
        straight: list[Row] = []
        at, width, is_simple = self._emails[0], self._width, len(self._emails) == 1
        for row in rows:
            line, cells = row
            if is_simple and len(cells) == width and is_straight(cells[at]):
                with suppress(InvalidAddress):
                    straight.append((line, [*cells[:at], parse_address(cells[at]), *cells[at + 1 :]]))
                    continue
            padded = [*cells[:width], *repeat("", width - len(cells))]
            straight += [(line, [*padded[:at], email, *padded[at + 1 :]]) for email in self._addresses(row, batch)]
        return straight

    def _addresses(self, row: Row, batch: Batch) -> Sequence[str]:
        """The addresses that an odd row holds, none if it is no row of the list's."""
        if self._is_misfit(row, batch):
            return ()
        line, cells = row
        found, problems = addresses_in(";".join(cells[column] for column in self._emails if column < len(cells)))
        if problems or not found:
            batch.problems[line] = problems or ["the row has no address"]
        if len(found) > 1:
            batch.extra_addresses += len(found) - 1
            batch.notes.setdefault(line, []).append(f"{len(found)} addresses in one row: {', '.join(found)}")
        return found

    def _is_misfit(self, row: Row, batch: Batch) -> bool:
        line, cells = row
        if problem := _misfit(cells, self._width, self._used):
            batch.problems[line] = [problem]
        return problem is not None

    def _read_straight(self, rows: Sequence[Row], batch: Batch) -> None:
        columns = list(zip(*(cells for _, cells in rows), strict=True))
        if any(max(map(len, columns[at])) > LONGEST for at in self._used):
            if fitting := [row for row in rows if not self._is_misfit(row, batch)]:
                self._read_straight(fitting, batch)
            return
        batch.arrivals += self._arrivals([line for line, _ in rows], columns[self._emails[0]], columns, batch)

    def _arrivals(
        self, lines: Sequence[int], emails: Sequence[str], columns: Sequence[Sequence[str]], batch: Batch
    ) -> Iterable[Arrival]:
        def column(field: str) -> Sequence[str]:
            at = self._columns.first(field)
            return [""] * len(lines) if at is None else columns[at]

        names = clean_column(column("name"))
        if self._columns.first(SURNAME) is not None:
            surnames = clean_column(column(SURNAME))
            names = [f"{name} {surname}".strip() for name, surname in zip(names, surnames, strict=True)]
        domains = [email[email.rindex("@") + 1 :] for email in emails]
        if are_lookalikes_among(domains):
            _tell_lookalikes(lines, domains, batch)
        keys = [email.lower() if email.isascii() else address_key(email) for email in emails]
        posts = (clean_column(column(field)) for field in ("honorific", "position", "institution"))
        countries = map(country_code, column("country"))
        languages = _languages(lines, column("language"), batch)
        # As `Arrival(…)` of each, without a call of Python's for each.
        return map(_arrival, zip(lines, emails, keys, domains, names, *posts, countries, languages, strict=True))


_arrival: Final[Callable[[Iterable[object]], Arrival]] = partial(tuple.__new__, Arrival)


def _tell_lookalikes(lines: Sequence[int], domains: Sequence[str], batch: Batch) -> None:
    for line, domain in zip(lines, domains, strict=True):
        if meant := lookalike(domain):
            batch.notes.setdefault(line, []).append(f"is {domain} meant to be {meant}? It went in as it stands")


def _languages(lines: Sequence[int], cells: Sequence[str], batch: Batch) -> Iterable[str | None]:
    codes = list(map(language_code, cells))
    if None in codes:
        for line, cell, code in zip(lines, cells, codes, strict=True):
            if code is None:
                batch.notes.setdefault(line, []).append(f"the language {cell[:40]!r} is not known and was left out")
        return [code or "" for code in codes]
    return codes


def _misfit(cells: Sequence[str], width: int, used: Sequence[int]) -> str | None:
    if len(cells) > width and width > 1 and any(cell.strip() for cell in cells[width:]):
        return f"the row has {len(cells)} cells and the heading {width}; is a separator inside an unquoted cell?"
    if max((len(cells[at]) for at in used if at < len(cells)), default=0) > LONGEST:
        return f"a cell holds more than {LONGEST} characters; is a quotation mark left open?"
    return None
