"""What an institution's name tells: its kind, and for a municipality or prefecture the place. Data: `places.toml`."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from mailer.audience.folding import fold

PLACES: Final = Path(__file__).with_name("places.toml")
_PROVINCE_IN_BRACKETS: Final = re.compile(r"\(([^)]+)\)\s*$")
Place = TypeVar("Place")


class Institution(msgspec.Struct, frozen=True):
    """A name with what it tells; what it doesn't tell is empty."""

    name: str
    kind: str = ""
    province: str = ""
    canton: str = ""


class Kind(msgspec.Struct, frozen=True):
    """A kind of institution, and the words that tell it."""

    kind: str
    words: tuple[str, ...]


class Embassies(msgspec.Struct, frozen=True):
    """The countries that have an embassy in Quito."""

    countries: tuple[str, ...]


class Places(msgspec.Struct, frozen=True):
    """The data file."""

    cantons: dict[str, tuple[str, ...]]
    embassies: Embassies
    kinds: tuple[Kind, ...]


def institution(name: str) -> Institution:
    """
    What a name tells.

    >>> institution("Gobierno Autónomo Descentralizado Municipal del Cantón Olmedo (Loja)")
    Institution(name='Gobierno Autónomo...', kind='municipality', province='Loja', canton='Olmedo (Loja)')
    >>> institution("Prefectura del Azuay").province, institution("Embajada de la República del Perú").kind
    ('Azuay', 'embassy')
    """
    folded = f" {fold(name)} "
    kind = next((kind for kind, words in _kinds() if words.search(folded)), "")
    if kind == "municipality":
        province, canton = _canton_in(name, folded)
        return Institution(name, kind, province, canton)
    if kind == "prefecture":
        return Institution(name, kind, _at_the_end(folded, _provinces()) or "")
    return Institution(name, kind)


@cache
def places() -> Places:
    """The data file, read once."""
    return msgspec.convert(tomllib.loads(PLACES.read_text(encoding="utf-8")), Places)


@cache
def _kinds() -> list[tuple[str, re.Pattern[str]]]:
    return [(each.kind, re.compile(f" (?:{'|'.join(map(re.escape, each.words))}) ")) for each in places().kinds]


def _canton_in(name: str, folded: str) -> tuple[str, str]:
    bracketed = _PROVINCE_IN_BRACKETS.search(name)
    in_province = f" in {fold(bracketed[1])}" if bracketed else ""
    return _at_the_end(folded.rstrip() + in_province, _cantons()) or _at_the_end(folded, _cantons()) or ("", "")


def _at_the_end(folded: str, known: Mapping[str, Place]) -> Place | None:
    """The place with the longest name that the text ends with."""
    words = folded.split()
    return next((known[tail] for at in range(len(words)) if (tail := " ".join(words[at:])) in known), None)


@cache
def _cantons() -> dict[str, tuple[str, str]]:
    """By folded name: province and canton; a name of two provinces only with its province."""
    found: dict[str, tuple[str, str]] = {}
    for province, names in places().cantons.items():
        for name in names:
            bracketed = _PROVINCE_IN_BRACKETS.search(name)
            found[f"{fold(name)} in {fold(bracketed[1])}" if bracketed else fold(name)] = (province, name)
    return found


@cache
def _provinces() -> dict[str, str]:
    return {fold(province): province for province in places().cantons}
