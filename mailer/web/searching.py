"""What the archive's search looks through: every article of what was published, with its place."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from lxml import html as lxml_html

from mailer.web.newsstand import Entry, Newsstand

_UNREAD: Final = frozenset({"head", "style", "script"})
_HEADINGS: Final = frozenset({"h2", "h3"})


class Passage(msgspec.Struct, frozen=True):
    """An article or section as it is found: its heading's id, its title, what is read below it."""

    id: str
    title: str
    text: str


class Found(msgspec.Struct, frozen=True):
    """A passage as the page's script knows it."""

    url: str
    when: str
    title: str
    text: str


class Search:
    """Finds passages in what was published; each issue is read once."""

    def __init__(self, newsstand: Newsstand) -> None:
        self._newsstand = newsstand
        self._read: dict[tuple[str, str], tuple[str, tuple[Passage, ...]]] = {}

    def index(self, language: str, address: Callable[[str, str], str]) -> str:
        """The script that brings the index of a language; `address` says where an issue lies in one of its own."""
        told = []
        for entry in self._newsstand.entries(language):
            spoken, found = self._passages(entry, language)
            where, when = address(entry.name, spoken), f"{entry.month} {entry.year}"
            told += [Found(f"{where}#{passage.id}", when, passage.title, passage.text) for passage in found]
        return f"window.published = {msgspec.json.encode(told).decode()};\n"

    def _passages(self, entry: Entry, language: str) -> tuple[str, tuple[Passage, ...]]:
        """The language in which an issue answers a reader of `language`, and what it says there."""
        key = entry.content_hash, language
        if key not in self._read:
            edition = self._newsstand.public(entry.name, language)[0]
            self._read[key] = edition.language, passages(edition.html)
        return self._read[key]


def passages(html: str) -> tuple[Passage, ...]:
    """
    The headings of an edition with what stands below each.

    >>> passages("<h2 id='a'>Agua</h2><p>Un <b>río</b></p><h3 id='b'>Sol</h3>")[0]
    Passage(id='a', title='Agua', text='Un río')
    """
    made: list[tuple[str, str, list[str]]] = []
    for element in lxml_html.document_fromstring(html).iter():
        if element.get("role") == "contentinfo":  # the footer is no part of the last article
            break
        if not isinstance(element.tag, str) or element.tag in _UNREAD:
            texts: Iterable[str | None] = (element.tail,)
        elif element.tag in _HEADINGS and element.get("id"):
            made.append((str(element.get("id")), " ".join("".join(map(str, element.itertext())).split()), []))
            texts = (element.tail,)
        else:
            inside = any(above.tag in _HEADINGS for above in element.iterancestors())
            texts = () if inside else (element.text, element.tail)
        if made:
            made[-1][2].extend(text for text in texts if text and text.strip())
    return tuple(Passage(name, title, " ".join(" ".join(texts).split())) for name, title, texts in made)
