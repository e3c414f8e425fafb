"""Domains that are one slip of the finger away from a big mail provider's: told, never mended."""

import re
from collections.abc import Iterable
from functools import cache
from string import ascii_lowercase
from typing import Final

_LATIN: Final = re.compile("[a-z]")
_ALIKE: Final = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_PROVIDERS: Final = (
    "gmail.com",
    "hotmail.com",
    "outlook.com",
    "yahoo.com",
    "icloud.com",
    "live.com",
    "hotmail.es",
    "outlook.es",
    "yahoo.es",
    "protonmail.com",
    "quito.gob.ec",
)
_REAL: Final = frozenset(
    {"mail.com", "ymail.com", "email.com", "hotmail.co", "live.co", "gmail.co", "love.com", "five.com", "hotmail.de"}
    | {"yahoo.fr", "yahoo.it", "yahoo.de", "outlook.de", "outlook.fr", "outlook.pt", "hotmail.it", "hotmail.fr"}
    | {"yahoo.in", "yahoo.ie", "yahoo.gr", "yahoo.ca", "outlook.in", "outlook.cl", "hotmail.cl", "hotmail.be"}
)


def lookalike(domain: str) -> str | None:
    """
    The provider's domain that was probably meant; None for a domain that is likely to be right.

    >>> lookalike("gmial.com"), lookalike("gmail.con"), lookalike("hotmial.com"), lookalike("nabon.example")
    ('gmail.com', 'gmail.com', 'hotmail.com', None)
    """
    return _slips().get(domain)


def are_lookalikes_among(domains: Iterable[str]) -> bool:
    """Whether `lookalike` would say something of one of these."""
    return not _slips().keys().isdisjoint(domains)


def mixes_alphabets(domain: str) -> bool:
    """
    Whether a label has Latin letters beside Greek or Cyrillic ones, as no registry gives names.

    >>> mixes_alphabets("gm\u0430il.com"), mixes_alphabets("españa.example")
    (True, False)
    """
    return any(_LATIN.search(label) and _ALIKE.search(label) for label in domain.split("."))


@cache
def _slips() -> dict[str, str]:
    found: dict[str, str] = {}
    for provider in _PROVIDERS:
        for slip in _one_slip_from(provider):
            found.setdefault(slip, provider)
    for right in (*_PROVIDERS, *_REAL):
        found.pop(right, None)
    return found


def _one_slip_from(word: str) -> set[str]:
    """A letter left out, doubled, added, taken for another, or two in the wrong order."""
    slips: set[str] = set()
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        slips |= {head + letter + tail for letter in ascii_lowercase}
        if tail:
            slips.add(head + tail[1:])
            slips |= {head + letter + tail[1:] for letter in ascii_lowercase}
        if len(tail) > 1:
            slips.add(head + tail[1] + tail[0] + tail[2:])
    return slips
