"""
From rows of cells to the people they name, or to the reason why not.

Nearly every row of a list is straight: as many cells as headings, one valid address. Straight rows are read by the
column, a batch at a time; the others one by one.
"""

from collections.abc import Sequence
from itertools import repeat
from typing import Final

import msgspec

from mailer.address import address_key, are_plain, plain_address
from mailer.audience.importing.addresses import addresses_in
from mailer.audience.importing.cells import LONGEST, clean_column, country_code, language_code
from mailer.audience.importing.headings import EMAIL, SURNAME, TAGS, Columns
from mailer.audience.importing.lookalikes import are_lookalikes_among, lookalike, mixes_alphabets
from mailer.audience.importing.sheet import AnyBlock, Block
from mailer.audience.importing.tagging import LONGEST_TAG, tags_in
from mailer.audience.importing.wording import Wording, problem_in
from mailer.audience.register import Arrivals

_FEW: Final = 50
"""Where a row among many isn't straight, so many beside it are looked at one by one."""


class Batch(msgspec.Struct):
    """Some rows, read: who arrives, what is wrong with which line, and what was set right on the way."""

    rows: int = 0
    arrivals: Arrivals | None = None
    problems: dict[int, list[str]] = {}
    notes: dict[int, list[str]] = {}
    extra_addresses: int = 0


class RowReader:
    """Reads the rows of one list. It never raises: what is wrong comes back as sentences."""

    def __init__(self, columns: Columns, width: int, say: Wording) -> None:
        self._columns = columns
        self._width = width
        self._say = say
        self._emails = columns.of[EMAIL]
        self._used = sorted({at for columns_of in columns.of.values() for at in columns_of})

    def read(self, block: AnyBlock) -> Batch:
        """Read some rows, passing over the empty ones."""
        batch = Batch(rows=len(block.lines))
        straight = block if self._is_straight(block) else self._straightened(block, batch)
        if straight.lines:
            self._read_straight(straight, batch)
        return batch

    def _is_straight(self, block: AnyBlock) -> bool:
        """Whether every row is straight, told of all at once; none is empty then."""
        columns = block.columns(self._width) if len(self._emails) == 1 else None
        return columns is not None and are_plain(columns[self._emails[0]])

    def _straightened(self, block: AnyBlock, batch: Batch) -> Block:
        """A straight row for each address in these, the address as it is kept; what has none is a problem."""
        lines: list[int] = []
        rows: list[Sequence[str]] = []
        batch.rows = 0
        of_block = block.rows
        for start in range(0, len(of_block), _FEW):
            piece = Block(block.lines[start : start + _FEW], of_block[start : start + _FEW])
            if self._is_straight(piece):
                batch.rows += len(piece.rows)
                lines += piece.lines
                rows += piece.rows
                continue
            for line, cells in zip(*piece, strict=True):
                if any(map(str.strip, cells)):
                    batch.rows += 1
                    found = self._straight(line, cells, batch)
                    lines += repeat(line, len(found))
                    rows += found
        return Block(lines, rows)

    def _straight(self, line: int, cells: Sequence[str], batch: Batch) -> Sequence[Sequence[str]]:
        at, width = self._emails[0], self._width
        if len(self._emails) == 1 and len(cells) == width and (plain := plain_address(cells[at])):
            return [[*cells[:at], plain, *cells[at + 1 :]]]
        padded = [*cells[:width], *repeat("", width - len(cells))]
        return [[*padded[:at], email, *padded[at + 1 :]] for email in self._addresses(line, cells, batch)]

    def _addresses(self, line: int, cells: Sequence[str], batch: Batch) -> Sequence[str]:
        """The addresses that an odd row holds, none if it is no row of the list's."""
        if self._is_misfit(line, cells, batch):
            return ()
        say = self._say
        held = [cells[column] for column in self._emails if column < len(cells)]
        found, wrong = addresses_in(";".join(held))
        if wrong or not found:
            told = [say.bad_address.format(piece=piece, problem=problem_in(say, why)) for piece, why in wrong]
            batch.problems[line] = told or [say.no_address]
        if len(found) > 1:
            batch.extra_addresses += len(found) - 1
            note = say.several.format(number=len(found), found=", ".join(found))
            batch.notes.setdefault(line, []).append(note)
        elif found and found[0].casefold() not in map(str.casefold, held):
            cell = next(cell for cell in held if cell.strip())
            batch.notes.setdefault(line, []).append(say.cleaned.format(cell=cell[:80], found=found[0]))
        return found

    def _is_misfit(self, line: int, cells: Sequence[str], batch: Batch) -> bool:
        if problem := self._misfit(cells):
            batch.problems[line] = [problem]
        return problem is not None

    def _read_straight(self, block: AnyBlock, batch: Batch) -> None:
        columns = block.columns(self._width)
        assert columns is not None
        if block.longest > LONGEST and any(max(map(len, columns[at])) > LONGEST for at in self._used):
            rows = zip(block.lines, block.rows, strict=True)
            fitting = [row for row in rows if not self._is_misfit(*row, batch)]
            if fitting:
                self._read_straight(Block([line for line, _ in fitting], [cells for _, cells in fitting]), batch)
            return
        batch.arrivals = self._arrivals(block.lines, columns, batch)
        if TAGS in self._columns.of:
            batch.arrivals = batch.arrivals._replace(tags=self._tags(block.lines, columns, batch))

    def _arrivals(self, lines: Sequence[int], columns: Sequence[Sequence[str]], batch: Batch) -> Arrivals:
        def column(field: str) -> Sequence[str]:
            at = self._columns.first(field)
            return [""] * len(lines) if at is None else columns[at]

        emails = columns[self._emails[0]]
        text = "\n".join(emails)
        keys = _keys_of(emails, text)
        if text.count("@") == len(emails):
            domains = text.replace("@", "\n").split("\n")[1::2]
        else:  # an @ in quotation marks
            domains = [email[email.rindex("@") + 1 :] for email in emails]
        if are_lookalikes_among(domains) or not text.isascii():
            self._tell_lookalikes(lines, domains, batch)
        names = clean_column(column("name"))
        if self._columns.first(SURNAME) is not None:
            surnames = clean_column(column(SURNAME))
            names = [f"{name} {surname}".strip() for name, surname in zip(names, surnames, strict=True)]
        posts = (clean_column(column(field)) for field in ("honorific", "position", "institution"))
        named = column("country")
        country_of = {cell: country_code(cell) for cell in {*named}}
        countries = [country_of[cell] for cell in named]
        languages = self._languages(lines, column("language"), batch)
        return Arrivals(lines, emails, keys, domains, (names, *posts, countries, languages))

    def _tell_lookalikes(self, lines: Sequence[int], domains: Sequence[str], batch: Batch) -> None:
        for line, domain in zip(lines, domains, strict=True):
            if meant := lookalike(domain):
                note = self._say.lookalike.format(domain=domain, meant=meant)
                batch.notes.setdefault(line, []).append(note)
            elif not domain.isascii() and mixes_alphabets(domain):
                batch.notes.setdefault(line, []).append(self._say.alphabets.format(domain=domain))

    def _tags(self, lines: Sequence[int], columns: Sequence[Sequence[str]], batch: Batch) -> dict[int, Sequence[str]]:
        found: dict[int, Sequence[str]] = {}
        for at in self._columns.of[TAGS]:
            for line, cell in zip(lines, columns[at], strict=True):
                if tags := tags_in(cell):
                    found[line] = [*found.get(line, ()), *(tag for tag in tags if len(tag) <= LONGEST_TAG)]
                for tag in tags:
                    if len(tag) > LONGEST_TAG:
                        batch.notes.setdefault(line, []).append(self._say.tag.format(tag=tag[:20], most=LONGEST_TAG))
        return found

    def _languages(self, lines: Sequence[int], cells: Sequence[str], batch: Batch) -> Sequence[str]:
        codes = {cell: language_code(cell) for cell in {*cells}}
        if None in codes.values():
            for line, cell in zip(lines, cells, strict=True):
                if codes[cell] is None:
                    batch.notes.setdefault(line, []).append(self._say.language.format(cell=cell[:40]))
        return [codes[cell] or "" for cell in cells]

    def _misfit(self, cells: Sequence[str]) -> str | None:
        width = self._width
        if len(cells) > width and width > 1 and any(cell.strip() for cell in cells[width:]):
            return self._say.wide.format(cells=len(cells), width=width)
        if max((len(cells[at]) for at in self._used if at < len(cells)), default=0) > LONGEST:
            return self._say.long.format(most=LONGEST)
        return None


def _keys_of(emails: Sequence[str], text: str) -> Sequence[str]:
    """`address_key` of each; `text` has them one a line."""
    if not text.isascii():
        return list(map(address_key, emails))
    lower = text.lower()
    return emails if lower == text else lower.split("\n")
