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
from mailer.audience.importing.sheet import Sheet
from mailer.audience.importing.splitting import blocks_of
from mailer.errors import AuthorError, Refused

SEPARATORS: Final = {";": ";", ",": ",", "|": "|", "\t": "\t", "tab": "\t", "\\t": "\t"}
_CHUNK: Final = 1 << 17
_LONGEST_LINE: Final = 1 << 17
_LARGEST_FILE: Final = 512 << 20
_SNIFFED_LINES: Final = 40
_ANNOUNCED: Final = re.compile(r'"?sep=([;,|\t])"?\s*', re.IGNORECASE)


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
    except BaseException:
        text.close()
        raise


def _sheet(text: IO[str], path: Path, encoding: str, separator: str | None) -> Sheet:
    pieces = _pieces(text, path, encoding)
    first = next(pieces, "")
    while first.count("\n") < _SNIFFED_LINES and (more := next(pieces, "")):
        first += more
    head = list(islice(io.StringIO(first), _SNIFFED_LINES))
    skipped = 0
    if head and (announced := _ANNOUNCED.fullmatch(head[0])):
        separator = separator or announced[1]
        first, head, skipped = first[len(head[0]) :], head[1:], 1
    chosen = SEPARATORS[separator.lower()] if separator else _separator(head)
    return Sheet(
        blocks=blocks_of(chain([first] if first else [], pieces), path, separator=chosen, before=skipped),
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


def _pieces(text: IO[str], path: Path, encoding: str) -> Iterator[str]:
    """The text in pieces of whole lines, none of them endless; NUL bytes, which some exports scatter, are dropped."""
    rest = ""
    lines = 1
    characters = 0
    try:
        while chunk := text.read(_CHUNK):
            if "\0" in chunk:
                chunk = chunk.replace("\0", "")
            whole, end, rest_of_chunk = chunk.rpartition("\n")
            if end:
                piece = f"{rest}{whole}\n"
                lines += piece.count("\n")
                rest = rest_of_chunk
                characters += len(piece)
                if characters > _LARGEST_FILE:
                    raise AuthorError("the list grows while it is read; wait until it is written", path)
                yield piece
            else:
                rest += chunk
            if len(rest) > _LONGEST_LINE:
                raise _endless(path, lines)
    except UnicodeError as problem:
        raise AuthorError(
            f"the list isn't written in {encoding} ({problem}); name its --encoding", path, lines
        ) from None
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
