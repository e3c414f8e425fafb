"""Which language a page speaks: the one asked for, the reader's own, the browser's, the publication's."""

from collections.abc import Iterable
from functools import cache

from mailer.language import LOCALES, SOURCE

_MOST_RANGES = 20


def marked(text: str) -> str:
    """The text as it is, marked for the catalogue: a template translates it later."""
    return text


@cache
def spoken() -> tuple[str, ...]:
    """The languages that pages can be read in, the source language first."""
    return (SOURCE, *sorted(path.parent.parent.name for path in LOCALES.glob("*/LC_MESSAGES/mailer.po")))


def choose(*wishes: str, accept: str = "", otherwise: str = SOURCE) -> str:
    """
    The first of `wishes` that pages speak, then the best of an Accept-Language header (RFC 9110 12.5.4).

    >>> choose("", "qu", accept="fr, en-GB;q=0.8, es;q=0.5")
    'en'
    """
    for wish in (*wishes, *_ranges(accept), otherwise):
        language = wish.lower().partition("-")[0]
        if language in spoken():
            return language
    return SOURCE


def _ranges(accept: str) -> Iterable[str]:
    weighed = []
    for part in accept.split(",")[:_MOST_RANGES]:
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            quality = 0.0
        if quality > 0:
            weighed.append((quality, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: -pair[0])]
