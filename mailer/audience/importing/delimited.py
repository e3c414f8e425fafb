"""Lists as text: csv and tsv, in whichever encoding and with whichever separator."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Final

from mailer.audience.importing.encoding import Unreadable, encoding_of
from mailer.audience.importing.headings import EMAIL, field_of
from mailer.audience.importing.sheet import Row, Sheet
from mailer.errors import AuthorError, Refused

SEPARATORS: Final = {";": ";", ",": ",", "|": "|", "\t": "\t", "tab": "\t", "\\t": "\t"}
_CHUNK: Final = 1 << 17
_LONGEST_LINE: Final = 1 << 17
_LARGEST_FILE: Final = 512 << 20
_LONGEST_CELL: Final = 1 << 16
_SNIFFED_LINES: Final = 40
_ROWS: Final = 50
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
    lines = _lines(text, path)
    head = list(islice(lines, _SNIFFED_LINES))
    skipped = 0
    if head and (announced := _ANNOUNCED.fullmatch(head[0])):
        separator = separator or announced[1]
        head, skipped = head[1:], 1
    chosen = SEPARATORS[separator.lower()] if separator else _separator(head)
    return Sheet(
        rows=_rows(head, lines, separator=chosen, path=path, skipped=skipped),
        described=f"{encoding}, separated by {'tab' if chosen == chr(9) else chosen}",
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


def _lines(text: IO[str], path: Path) -> Iterator[str]:
    """Lines with their end, none of them endless; NUL bytes, which some exports scatter, are dropped."""
    return chain.from_iterable(map(io.StringIO, _blocks(text, path)))


def _blocks(text: IO[str], path: Path) -> Iterator[str]:
    """The text in pieces of whole lines."""
    rest = ""
    lines = 1
    while chunk := text.read(_CHUNK):
        if "\0" in chunk:
            chunk = chunk.replace("\0", "")
        whole, end, rest_of_chunk = chunk.rpartition("\n")
        if end:
            block = f"{rest}{whole}\n"
            lines += block.count("\n")
            rest = rest_of_chunk
            yield block
        else:
            rest += chunk
        if len(rest) > _LONGEST_LINE:
            raise _endless(path, lines)
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


def _rows(head: Sequence[str], lines: Iterator[str], *, separator: str, path: Path, skipped: int) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(chain(head, lines, [_END]), delimiter=separator)
    before, batch = skipped, [[""]]
    while batch:
        batch, trouble = [], None
        try:
            batch.extend(islice(reader, _ROWS))  # what was read before an error stays in it
        except csv.Error as problem:
            trouble = f"the row can't be read ({problem}); is a quotation mark left open?"
        except UnicodeError as problem:
            trouble = f"the list isn't written in one encoding ({problem}); name its --encoding"
        if batch and max(map(len, batch)) > _MOST_COLUMNS:
            raise AuthorError(f"a row has more than {_MOST_COLUMNS} cells: this is no list of people", path, before + 1)
        is_over = bool(batch and batch[-1] and _END in batch[-1][-1])
        if is_over and batch[-1] != [_END]:
            start = before + sum(map(_lines_of, batch[:-1])) + 1
            raise AuthorError("a quotation mark is opened in this row and never closed", path, start)
        rows = batch[:-1] if is_over else batch
        if trouble is None and reader.line_num + skipped - before == len(batch):
            yield from zip(range(before + 1, before + 1 + len(rows)), rows, strict=True)
            before += len(batch)
            continue
        for cells in rows:
            yield before + 1, cells
            before += _lines_of(cells)
        if trouble is not None:
            raise AuthorError(trouble, path, before + 1)


def _lines_of(cells: Sequence[str]) -> int:
    """How many lines of the file a row takes: one, and one more for each line end in a cell."""
    return 1 + sum(cell.count("\n") for cell in cells)
