"""What a cell means once the accidents of spreadsheets are taken off it."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Final

from mailer.audience.countries import country_names
from mailer.audience.folding import fold

LONGEST: Final = 500
"""More characters than this are no name, post or institution."""

_INVISIBLE: Final = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0xFFFC])
_NOTHING: Final = frozenset({"-", "--", "---", "n/a", "s/n", "#n/a", "null", "none", "n.d.", "s/d", "."})
_NOTHING_SPELT: Final = frozenset(
    "".join(letters) for word in _NOTHING for letters in product(*((letter, letter.upper()) for letter in word))
)
_LANGUAGES: Final = {
    "es": "es|spa|esp|espanol|castellano|spanish|espagnol",
    "en": "en|eng|ing|ingles|english|anglais",
    "fr": "fr|fra|fre|frances|french|francais",
    "pt": "pt|por|portugues|portuguese",
    "de": "de|deu|ger|aleman|german|deutsch",
    "it": "it|ita|italiano|italian",
    "zh": "zh|chino|chinese",
    "qu": "qu|quichua|kichwa|quechua",
}
_LANGUAGE_OF: Final = {word: code for code, words in _LANGUAGES.items() for word in words.split("|")}


def clean(cell: str) -> str:
    r"""
    The cell's text in NFC, in one line, without invisible characters; what only says "nothing" is empty.

    >>> clean("  Alcaldía\u00a0de\n Nabo\u0301n "), clean("N/A")
    ('Alcaldía de Nabón', '')
    """
    if not cell.isprintable():
        cell = "".join(char if char.isprintable() else " " for char in cell.translate(_INVISIBLE))
    if not cell.isascii():
        cell = unicodedata.normalize("NFC", cell)
    if cell[:1] == "'" and cell[1:2] in "=+-@":  # how a spreadsheet (and our own export) disarms a formula
        cell = cell[1:]
    if cell[:1] == " " or cell[-1:] == " " or "  " in cell:
        cell = " ".join(cell.split())
    if len(cell) <= 5 and cell.lower() in _NOTHING:  # noqa: PLR2004 — the longest of them
        return ""
    return cell


def clean_column(cells: Sequence[str]) -> Sequence[str]:
    """`clean` for many cells: nearly always there is nothing to clean, which is told of all of them at once."""
    distinct = {*cells}
    text = "|".join(["", *distinct, ""])
    if (
        distinct.isdisjoint(_NOTHING_SPELT)
        and not ("  " in text or "| " in text or " |" in text or "|'" in text)
        and text.isprintable()
        and (_is_western(text) or unicodedata.is_normalized("NFC", text))
    ):
        return cells
    return [clean(cell) for cell in cells]


def _is_western(text: str) -> bool:
    """Whether the text has letters of Latin-1 alone: nothing to normalise, and told at once."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(1 << 12)
def language_code(cell: str) -> str | None:
    """
    The ISO 639 code of a language that a cell names, "" for an empty one; None if it names none that is known.

    >>> language_code("Inglés"), language_code("es-EC"), language_code(" "), language_code("el que sea")
    ('en', 'es', '', None)
    """
    cell = clean(cell)
    if not cell:
        return ""
    words = fold(cell).split()
    return (
        _LANGUAGE_OF.get(words[0]) if words and (len(words) == 1 or re.match(r"[a-z]{2}[-_]", cell.lower())) else None
    )


@lru_cache(1 << 12)
def country_code(cell: str) -> str:
    """
    The ISO 3166 code of a country named in Spanish or English; another text stays as it is.

    >>> country_code("Perú"), country_code("Germany"), country_code("Atlántida")
    ('PE', 'DE', 'Atlántida')
    """
    cell = clean(cell)
    return country_names().get(fold(cell), cell)
