"""The names of countries, in Spanish and English, as lists write them."""

from functools import cache
from typing import Final

from babel import Locale

from mailer.audience.folding import fold

_COUNTRY_NAMES: Final = {
    "qatar": "QA", "santa sede": "VA", "holy see": "VA", "vaticano": "VA", "ee uu": "US", "eeuu": "US", "usa": "US",
    "estados unidos de america": "US", "united states of america": "US", "gran bretana": "GB", "inglaterra": "GB",
    "great britain": "GB", "uk": "GB", "corea": "KR", "corea del sur": "KR", "republica de corea": "KR",
    "south korea": "KR", "korea": "KR", "palestina": "PS", "palestine": "PS", "holanda": "NL",
    "reino de los paises bajos": "NL",
    "republica francesa": "FR", "republica italiana": "IT", "estados unidos mexicanos": "MX", "britanica": "GB",
    "reino unido de gran bretana e irlanda del norte": "GB", "nunciatura apostolica": "VA",
    "turquia": "TR", "turkey": "TR", "republica popular china": "CN", "russia": "RU", "federacion de rusia": "RU",
    "republica checa": "CZ", "bielorrusia": "BY", "birmania": "MM", "republica bolivariana de venezuela": "VE",
    "estado plurinacional de bolivia": "BO", "corea del norte": "KP", "taiwan": "TW", "suazilandia": "SZ",
}  # fmt: skip


@cache
def country_names() -> dict[str, str]:
    """
    By folded name (or code), the ISO 3166 code.

    >>> country_names()["estados unidos de america"], country_names()["peru"]
    ('US', 'PE')
    """
    found: dict[str, str] = {}
    for language in ("en", "es"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in {"EU", "EZ", "UN", "ZZ", "QO"}:  # noqa: PLR2004
                found[fold(name)] = code
                found[code.lower()] = code
    return found | _COUNTRY_NAMES
