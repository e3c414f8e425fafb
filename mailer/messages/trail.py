"""
The links of an edition that are counted, and the edition with each of them leading by way of our own pages.

An edition is led so for one campaign alone: what was checked, previewed and hashed, what is tested and what stands in
the archive keeps its own addresses.
"""

import html
import re
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from mailer.editions.edition import Edition
from mailer.tokens import Signer

_WEB: Final = re.compile(r"https?://(?:(?!@@)[^\s\"'<>])+", re.IGNORECASE)
# An anchor, or another element that has a name: the place that the links behind it belong to.
_PLACE: Final = re.compile(
    r'<a\b(?P<before>[^>]*?)\bhref="(?P<href>[^"]*)"(?P<after>[^>]*)>(?P<inner>.*?)</a>'
    r'|<(?!a\b)[a-z]\w*\b[^>]*\bid="(?P<id>[^"]+)"'
    r'|<[a-z]+\b[^>]*\brole="(?P<role>contentinfo)"',
    re.DOTALL | re.IGNORECASE,
)
_TAG: Final = re.compile(r"<[^>]*>")
_SHOWN: Final = re.compile(r"://|\bwww\.", re.IGNORECASE)
_TOLD: Final = re.compile(r"(?<![^\s<])https?://[^\s<>]+(?P<end>>|(?=\s|\Z))")
# The slot of those who let their own clicks be kept; an edition as it is compiled has none of that name.
CLICKER: Final = "clicker"
_INDIVIDUAL: Final = "individual"
# A link that nobody sees, reads out or reaches by key: whoever follows it is a machine.
_TRAP: Final = '<a href="{}" style="display:none;mso-hide:all" tabindex="-1" aria-hidden="true" rel="nofollow"></a>'


class Link(msgspec.Struct, frozen=True):
    """A link that is counted: the article or section that it stands in ("": none), and where it leads."""

    article: str
    url: str


class Trail(msgspec.Struct, frozen=True):
    """Where an edition's links lead in one campaign: an address of ours for each, and one for the trap."""

    addresses: Mapping[Link, str]
    trap: str


class Laid(msgspec.Struct, frozen=True):
    """How a campaign counts: the number of each link in each of its editions (segment, language)."""

    tracking: str = "none"
    editions: Mapping[tuple[str, str], Mapping[Link, int]] = {}
    traps: Mapping[tuple[str, str], int] = {}


class Trails:
    """Where the links of one campaign lead: to our pages, each by a token that names the link."""

    def __init__(self, laid: Laid, signer: Signer, public_url: str) -> None:
        self._laid = laid
        self._signer = signer
        self._public_url = public_url

    @property
    def are_individual(self) -> bool:
        """Whether readers who said yes to it are named in their links."""
        return self._laid.tracking == _INDIVIDUAL

    def of(self, edition: Edition, *, named: bool) -> Trail | None:
        """The trail of an edition, with `named` for a reader who said yes; None if its links are not counted."""
        key = edition.segment, edition.language
        if key not in self._laid.traps:
            return None
        addresses = {link: self._address(number, named=named) for link, number in self._laid.editions[key].items()}
        return Trail(addresses=addresses, trap=self._address(self._laid.traps[key], named=named))

    def _address(self, number: int, *, named: bool) -> str:
        return f"{self._public_url}/l/{self._signer.sign('link', str(number))}{f'/@@{CLICKER}@@' if named else ''}"


def links_of(edition: Edition) -> tuple[Link, ...]:
    """
    The links of an edition that are counted, each once, in the order in which they are met.

    Left alone are the reader's own (leave, preferences, web edition), those within the message, mail and telephone,
    and every link whose text shows an address: it must lead where it says, or filters take it for a fraud.
    """
    found: dict[Link, None] = {}
    for link, _ in _met(edition.html):
        found.setdefault(link)
    return tuple(found)


def led(edition: Edition, trail: Trail) -> Edition:
    """The edition with its counted links leading along the trail, in the HTML and in the text."""
    return msgspec.structs.replace(edition, html=_led_html(edition.html, trail), text=_led_text(edition, trail))


def _met(page: str) -> list[tuple[Link, re.Match[str]]]:
    article, met = "", []
    for place in _PLACE.finditer(page):
        if place["href"] is None:
            article = "" if place["role"] else html.unescape(place["id"])
        elif url := _counted(place):
            met.append((Link(article, url), place))
    return met


def _counted(anchor: re.Match[str]) -> str:
    url = html.unescape(anchor["href"]).strip()
    if not _WEB.fullmatch(url):
        return ""
    text = html.unescape(_TAG.sub("", anchor["inner"])).casefold()
    return "" if _SHOWN.search(text) or _host(url) in text else url


def _host(url: str) -> str:
    """
    What a reader knows a site by.

    >>> _host("https://www.quito.example/a?b")
    'quito.example'
    """
    return (urlsplit(url).hostname or url).removeprefix("www.")


def _led_html(page: str, trail: Trail) -> str:
    pieces, end = [], 0
    for link, anchor in _met(page):
        address = trail.addresses.get(link)
        if address is None:
            continue
        start, stop = anchor.span("href")
        pieces += [page[end:start], html.escape(address), '"']
        if _host(link.url) != _host(address) and "title=" not in anchor["before"] + anchor["after"]:
            pieces.append(f' title="{html.escape(_host(link.url))}"')
        end = stop + 1
    body, closing, rest = "".join([*pieces, page[end:]]).rpartition("</body>")
    return f"{body}{_TRAP.format(html.escape(trail.trap))}{closing}{rest}" if closing else rest


def _led_text(edition: Edition, trail: Trail) -> str:
    """The text likewise; where an address stands alone, the site that it leads to stands behind it."""
    ways: dict[str, deque[str]] = defaultdict(deque)
    for link, address in trail.addresses.items():
        ways[link.url].append(address)

    def lead(told: re.Match[str]) -> str:
        url, end = told[0].removesuffix(">"), told["end"]
        if url not in ways:
            return told[0]
        # The same address in several articles: they come in the same order as in the HTML.
        address = ways[url][0] if len(ways[url]) == 1 else ways[url].popleft()
        site = "" if end or _host(url) == _host(address) else f" ({_host(url)})"
        return f"{address}{end}{site}"

    return _TOLD.sub(lead, edition.text)
