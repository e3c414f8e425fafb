"""Words compared as people compare them: without accents, case and punctuation."""

import re
import unicodedata
from typing import Final

_LATIN_MARKS: Final = re.compile("[\u0300-\u036f]+")
_BRACKETED: Final = re.compile(r"[(\[].*?[)\]]")
_BETWEEN_WORDS: Final = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """
    The text without accents, case, punctuation and what stands in brackets.

    >>> fold("  CORREO  Electrónico (*): ")
    'correo electronico'
    """
    if not text.isascii():
        text = _LATIN_MARKS.sub("", unicodedata.normalize("NFKD", text))
        if not text.isascii():
            text = "".join(char for char in text if not unicodedata.combining(char))
    if "(" in text or "[" in text:
        text = _BRACKETED.sub(" ", text)
    return _BETWEEN_WORDS.sub(" ", text.casefold()).strip()
