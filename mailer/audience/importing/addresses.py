"""The addresses that a cell holds, as people write them there."""

import re
import unicodedata
from contextlib import suppress
from typing import Final

from mailer.address import InvalidAddress, parse_address
from mailer.audience.importing.cells import clean

_BETWEEN: Final = re.compile(r"[;,/|\s]+|\s+[yeo]\s+|\s+and\s+", re.IGNORECASE)
_SEVERAL: Final = re.compile(r"[\s<>;,]")
_WRAPPED: Final = re.compile(r"<([^<>]*)>")
_AROUND: Final = "<>()[]{}\"'«»“”‘’.,;:¡!¿? "
_PREFIX: Final = re.compile(r"^(?:mailto|e-?mail|correo)\s*:\s*", re.IGNORECASE)


def addresses_in(cell: str) -> tuple[list[str], list[tuple[str, str]]]:
    """
    The valid addresses in a cell, each once, and the others, each with what is wrong with it.

    >>> addresses_in("Prensa <prensa@nabon.example>; mailto:alcaldia@nabon.example.")
    (['prensa@nabon.example', 'alcaldia@nabon.example'], [])
    >>> addresses_in("prensa@nabon")
    ([], [('prensa@nabon', 'The part after the @-sign is not valid. It should have a period')])
    """
    if is_straight(cell):
        with suppress(InvalidAddress):
            return [parse_address(cell)], []
    good: dict[str, None] = {}
    bad: list[tuple[str, str]] = []
    for piece in _pieces(clean(unicodedata.normalize("NFKC", cell))):
        try:
            good[parse_address(piece)] = None
        except InvalidAddress as problem:
            bad.append((piece[:80], str(problem)))
    return list(good), bad


def is_straight(cell: str) -> bool:
    """Whether the cell may be read as one address as it stands; not with spaces or full-width letters."""
    return cell.isascii() and cell[:1] != "'" and not _SEVERAL.search(cell)


def _pieces(text: str) -> list[str]:
    """Candidates: what stands in angle brackets, or else everything between separators that has an @."""
    if not text:
        return []
    wrapped = [piece for piece in _WRAPPED.findall(text) if "@" in piece]
    rest = _WRAPPED.sub(" ; ", text) if wrapped else text
    loose = [piece for piece in _BETWEEN.split(_PREFIX.sub("", rest)) if "@" in piece]
    pieces = [_PREFIX.sub("", piece.strip(_AROUND)).strip(_AROUND) for piece in (*wrapped, *loose)]
    return [piece for piece in pieces if piece] or [text]
