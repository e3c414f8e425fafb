"""What an institution's name tells: its kind, and its country or its province and canton. Data: `places.toml`."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from mailer.audience.countries import country_names
from mailer.audience.folding import fold
from mailer.errors import Refused

PLACES: Final = Path(__file__).with_name("places.toml")
_PROVINCE_IN_BRACKETS: Final = re.compile(r"\(([^)]+)\)\s*$")
_HERE: Final = re.compile(
    r" (?:en|in|ante|to|acreditad[oa] en)(?: el| la| the)?(?: republica del)? (?:ecuador|quito) $"
)
_OF_A_COUNTRY: Final = frozenset({"embassy", "consulate"})
Place = TypeVar("Place")


class Institution(msgspec.Struct, frozen=True):
    """A name with what it tells; what it doesn't tell is empty."""

    name: str
    kind: str = ""
    country: str = ""
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


def institution(name: str, *, of: str = "") -> Institution:
    """
    What a name tells; an embassy whose name doesn't tell its country is `of` the one that its list says.

    >>> institution("Gobierno Autónomo Descentralizado Municipal del Cantón Olmedo (Loja)")
    Institution(name='Gobierno Autónomo...', kind='municipality', country='EC', province='Loja', canton='Olmedo (Loja)')
    >>> institution("Prefectura del Azuay").province, institution("Embajada de la República del Perú").country
    ('Azuay', 'PE')
    """
    folded = f" {fold(name)} "
    if _openings().isdisjoint(folded.split()):  # as of most institutions, which are of no kind that matters here
        return Institution(name)
    kind = next((kind for kind, words in _kinds() if words.search(folded)), "")
    if kind == "municipality":
        province, canton = _canton_in(name, folded)
        return Institution(name, kind, "EC", province, canton)
    if kind == "prefecture":
        return Institution(name, kind, "EC", _at_the_end(folded, _provinces()) or "")
    if kind in _OF_A_COUNTRY:
        return Institution(name, kind, _at_the_end(_HERE.sub("", folded), country_names()) or of)
    return Institution(name, kind)


def placed(name: str, *, kind: str, country: str = "", province: str = "", canton: str = "") -> Institution:
    """
    An institution as a person describes it, its place as the data file writes it.

    >>> placed("Casa del Alcalde", kind="municipality", province="azuay", canton="nabon").canton
    'Nabón'

    Raises:
        Refused: There is no such kind, country, province or canton.

    """
    kinds = [each.kind for each in places().kinds]
    if kind not in kinds:
        raise Refused(f"{kind!r} is no kind of institution; it is one of {', '.join(kinds)}")
    if country and fold(country) not in country_names():
        raise Refused(f"{country!r} is no country; write its name or its code, as in Perú or PE")
    if province and fold(province) not in _provinces():
        raise Refused(f"{province!r} is no province; it is one of {', '.join(_provinces().values())}")
    known = places().cantons
    where = _provinces().get(fold(province), "")
    cantons = {fold(each): (one, each) for one, names in known.items() for each in names if where in {"", one}}
    if canton and fold(canton) not in cantons:
        of = f" of {where}" if where else ""
        raise Refused(f"{canton!r} is no canton{of}; write it as in {next(iter(cantons.values()))[1]}")
    where, town = cantons[fold(canton)] if canton else (where, "")
    home = "EC" if where else ""
    return Institution(name, kind, country_names().get(fold(country), home) if country else home, where, town)


@cache
def places() -> Places:
    """The data file, read once."""
    return msgspec.convert(tomllib.loads(PLACES.read_text(encoding="utf-8")), Places)


@cache
def _kinds() -> list[tuple[str, re.Pattern[str]]]:
    return [(each.kind, re.compile(f" (?:{'|'.join(map(re.escape, each.words))}) ")) for each in places().kinds]


@cache
def _openings() -> frozenset[str]:
    """The first words of all that tell a kind."""
    return frozenset(word.split()[0] for each in places().kinds for word in each.words)


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
