"""The Sustainable Development Goals as tiles of text on colour; no logo artwork is copied."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from mailer.editions.colour import contrast
from mailer.language import SOURCE

WHITE: Final = "#FFFFFF"
INK: Final = "#10141C"


class Goal(msgspec.Struct, frozen=True):
    """One goal: its number, the United Nations' colour for it, its short name per language."""

    number: int
    colour: str
    names: dict[str, str]

    @property
    def text(self) -> str:
        """The colour that is easier to read on the goal's own: half of the tiles are too light for white text."""
        return max((WHITE, INK), key=lambda colour: contrast(colour, self.colour))

    def name(self, language: str) -> str:
        """The short name in a language, in capitals as on the tiles."""
        return self.names.get(language) or self.names[SOURCE]


@cache
def goals() -> dict[int, Goal]:
    """
    All seventeen goals by number.

    >>> goals()[6].name("es")
    'AGUA LIMPIA Y SANEAMIENTO'
    """
    table = tomllib.loads(Path(__file__).with_name("sdgs.toml").read_text(encoding="utf-8"))
    return {goal.number: goal for goal in msgspec.convert(table["goals"], list[Goal])}
