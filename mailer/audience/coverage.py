"""Which places a segment reaches: the cantons, the prefectures, the embassies, and which of them nobody reads at."""

from collections.abc import Iterable

import msgspec

from mailer.audience.institution import places


class Coverage(msgspec.Struct, frozen=True):
    """How many of a kind of place are reached, and those that aren't."""

    what: str
    all: int
    reached: int
    missing: tuple[str, ...]


def coverage(reached: Iterable[tuple[str, str, str, str]]) -> list[Coverage]:
    """
    Compare what is reached (kind, province, canton, country) with what there is.

    >>> [each.what for each in coverage([("municipality", "Azuay", "Nabón", "")]) if each.reached]
    ['cantons']
    """
    found = list(reached)
    cantons = {(province, canton) for province, names in places().cantons.items() for canton in names}
    # Galápagos has a governing council in the place of a prefecture.
    provinces = [province for province in places().cantons if province != "Galápagos"]
    return [
        _covered(
            "cantons",
            [
                f"{canton} ({province})" if f"({province})" not in canton else canton
                for province, canton in sorted(cantons)
            ],
            {
                f"{canton} ({province})" if f"({province})" not in canton else canton
                for kind, province, canton, _ in found
                if kind == "municipality"
            },
        ),
        _covered("prefectures", provinces, {province for kind, province, _, _ in found if kind == "prefecture"}),
        _covered(
            "embassies", places().embassies.countries, {country for kind, _, _, country in found if kind == "embassy"}
        ),
    ]


def _covered(what: str, expected: Iterable[str], found: set[str]) -> Coverage:
    names = tuple(expected)
    missing = tuple(name for name in names if name not in found)
    return Coverage(what=what, all=len(names), reached=len(names) - len(missing), missing=missing)
