"""The tags that a list's column gives its people: words of the office's own, for rules."""

import re
from typing import Final

from mailer.audience.importing.cells import clean

LONGEST_TAG: Final = 64
_BETWEEN: Final = re.compile(r"[;,|\n]")


def tags_in(cell: str) -> list[str]:
    """
    The tags that a cell names, each once, in small letters.

    >>> tags_in("Ciudad hermana; prensa, PRENSA"), tags_in("-")
    (['ciudad hermana', 'prensa'], [])
    """
    return list(dict.fromkeys(tag for piece in _BETWEEN.split(cell) if (tag := clean(piece).strip().lower())))
