"""Names for addresses: `#circo-de-luz` leads to an article of the web edition."""

import re
import unicodedata
from typing import Final

from mailer.issues.source import Source

LONGEST: Final = 60
_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Names:
    """Hands out an id a heading, each once; those that an author gave go first."""

    def __init__(self, source: Source, given: list[tuple[str, int]]) -> None:
        self._taken: dict[str, int] = {}
        for name, line in given:
            if not _ID.fullmatch(name):
                source.fault(line, f'the id "{name}" can\'t stand in an address; write id={slug(name) or "articulo"}')
            elif name in self._taken:
                source.fault(line, f'the id "{name}" is taken by line {self._taken[name]}; choose another')
            else:
                self._taken[name] = line

    def of(self, title: str, given: str | None) -> str:
        """The id given, or one made of the title."""
        if given and _ID.fullmatch(given):
            return given
        stem = slug(title) or "articulo"
        name, count = stem, 1
        while name in self._taken:
            count += 1
            name = f"{stem}-{count}"
        self._taken[name] = 0
        return name


def slug(title: str) -> str:
    """
    A title in the letters of an address, cut between words.

    >>> slug("CONCLUYÓ LA XV EDICIÓN")
    'concluyo-la-xv-edicion'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii").lower()
    name = ""
    for word in re.findall(r"[a-z0-9]+", plain):
        if name and len(name) + len(word) >= LONGEST:
            break
        name = f"{name}-{word}" if name else word[:LONGEST]
    return name
