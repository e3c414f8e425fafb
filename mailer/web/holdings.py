"""
What lies on the shelf, as the public pages ask for it.

Nothing changes under its hash. So an issue is unpacked once to learn what it holds, which is little and is kept, and
again only to be shown: whoever asks for names that nobody knows costs one look at the list.
"""

from functools import lru_cache
from typing import Final

import msgspec

from mailer.editions.edition import Compiled, Edition, Enclosure, Image
from mailer.storage.editions import Shelf
from mailer.storage.published import Published

_KEPT_UNPACKED: Final = 4


class Heading(msgspec.Struct, frozen=True):
    """An edition as a list shows it."""

    language: str
    subject: str
    preheader: str


class Contents(msgspec.Struct, frozen=True):
    """What one compiled issue holds: a heading an edition, the editions' hashes, the names of pictures and files."""

    headings: tuple[Heading, ...]
    editions: frozenset[str]
    names: frozenset[str]

    def heading(self, language: str) -> Heading:
        """The heading in a language, or the first there is."""
        return next((each for each in self.headings if each.language == language), self.headings[0])


class Holdings:
    """The compiled issues by hash, and what each of them holds."""

    def __init__(self, published: Published, shelf: Shelf) -> None:
        self._published = published
        self._unpacked = lru_cache(maxsize=_KEPT_UNPACKED)(shelf.find)
        self._contents: dict[str, Contents] = {}

    def compiled(self, content_hash: str) -> Compiled | None:
        """The issue of that hash, whole."""
        return self._unpacked(content_hash)

    def contents(self, content_hash: str) -> Contents | None:
        """What the issue of that hash holds."""
        if content_hash not in self._contents and (compiled := self._unpacked(content_hash)):
            self._contents[content_hash] = _contents(compiled)
        return self._contents.get(content_hash)

    def picture(self, name: str) -> Image | None:
        """A picture by its name, from whatever is on the shelf."""
        images = (image for edition in self._holding(name) for image in edition.images)
        return next((image for image in images if image.name == name), None)

    def file(self, name: str) -> Enclosure | None:
        """A document or calendar date by its name, from whatever is on the shelf."""
        files = (file for edition in self._holding(name) for file in edition.files)
        return next((file for file in files if file.name == name), None)

    def _holding(self, name: str) -> tuple[Edition, ...]:
        """The editions of the newest issue that holds something of that name."""
        for content_hash in self._published.shelved():
            contents = self.contents(content_hash)
            if contents and name in contents.names:
                compiled = self.compiled(content_hash)
                return compiled.editions if compiled else ()
        return ()


def _contents(compiled: Compiled) -> Contents:
    pictures = {image.name for edition in compiled.editions for image in edition.images}
    files = {file.name for edition in compiled.editions for file in edition.files}
    return Contents(
        headings=tuple(Heading(each.language, each.subject, each.preheader) for each in compiled.editions),
        editions=frozenset(each.hash for each in (*compiled.editions, *compiled.public)),
        names=frozenset(pictures | files),
    )
