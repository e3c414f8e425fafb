"""What the preview shows: the issue as it stands on disk now, judged, and the readers that it can be shown to."""

from collections.abc import Iterator
from itertools import islice
from os import stat_result
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

from mailer.app import App
from mailer.audience.folding import fold
from mailer.audience.greeting import greeting
from mailer.audience.recipient import Recipient
from mailer.editions.checks.placing import Placed, placed
from mailer.editions.edition import Edition, Image
from mailer.editions.sample import sample_values
from mailer.editions.theme import Theme
from mailer.editions.theme_css import theme_css
from mailer.preflight import Judged, judge, readers_of

Signature = tuple[tuple[str, int, int], ...]
READERS_SHOWN: Final = 20


class Seat(msgspec.Struct, frozen=True):
    """A reader as the picker lists them."""

    id: int
    address: str
    greeting: str
    institution: str
    language: str


class Studio:
    """One issue under way. Answers come from what was read last; `signature` tells whether that is still so."""

    def __init__(self, app: App, issue: str) -> None:
        self.app = app
        self.issue = issue
        self._folder = app.loaded.resolve(app.config.content.issues)
        self._templates = app.loaded.resolve(app.config.content.templates) / "brief"
        self._theme = app.press.theme
        self._lock = Lock()
        self._editions: dict[tuple[str, str], tuple[Signature, Edition]] = {}
        self._images: dict[str, Image] = {}
        self._met: dict[int, Recipient] = {}

    def signature(self) -> Signature:
        """Every file that the issue is made of, with its time and size."""
        return tuple(
            (str(path), status.st_mtime_ns, status.st_size)
            for path in sorted(self._watched())
            if (status := _status(path))
        )

    def _watched(self) -> Iterator[Path]:
        yield self._folder / "dictionary.txt"
        yield self._theme
        for folder in (self._folder / self.issue, self._templates):
            yield from (path for path in folder.rglob("*") if not path.name.startswith((".", "~")))

    def edition(self, segment: str, language: str) -> Edition:
        """
        The edition of a segment in a language, compiled when it is asked for and kept until a file changes.

        Raises:
            AuthorError: It can't be compiled as it stands.

        """
        with self._lock:
            signature, key = self.signature(), (segment, language)
            if key not in self._editions or self._editions[key][0] != signature:
                _, compiled = self.app.compile(self.issue, segment=segment, language=language)
                self._editions[key] = (signature, compiled.editions[0])
                self._images |= {image.name: image for image in compiled.editions[0].images}
            return self._editions[key][1]

    def image(self, name: str) -> Image | None:
        """A picture of the editions that were shown."""
        return self._images.get(name)

    def judged(self) -> tuple[Judged, list[Placed]]:
        """The whole issue judged, and each finding with its place."""
        judged = judge(self.app, self.issue)
        return judged, placed(judged.issues, judged.report)

    def theme(self) -> str:
        """The house's colours and letters as CSS."""
        return theme_css(Theme.load(self._theme))

    def values(self, edition: Edition, reader: int) -> dict[str, str]:
        """What stands in the slots: for one reader of the register, in the edition's language, or for nobody."""
        values = dict(sample_values(edition, self.app.imprint))
        found = self._reader(reader) if reader else None
        if found is None:
            return values
        reading = msgspec.structs.replace(found, language=edition.language)
        return values | {"greeting": greeting(reading), "institution": reading.institution}

    def _reader(self, number: int) -> Recipient | None:
        if number not in self._met:
            found = next((reader for reader in readers_of(self.app) if reader.subscriber_id == number), None)
            if found is None:
                return None
            self._met[number] = found
        return self._met[number]

    def readers(self, segment: str, asked: str) -> list[Seat]:
        """The first readers of a segment whose address, name or institution holds what was asked for."""
        wanted = fold(asked)
        found = (reader for reader in readers_of(self.app, segment) if wanted in fold(_words(reader)))
        return [self._seat(reader) for reader in islice(found, READERS_SHOWN)]

    def extremes(self, segment: str) -> list[Seat]:
        """The readers of a segment with the longest and with the emptiest values."""
        longest: tuple[int, Recipient] | None = None
        emptiest: tuple[int, Recipient] | None = None
        for reader in readers_of(self.app, segment):
            size = len(greeting(reader)) + len(reader.institution)
            longest = max(longest or (size, reader), (size, reader), key=lambda each: each[0])
            emptiest = min(emptiest or (size, reader), (size, reader), key=lambda each: each[0])
        return [self._seat(each[1]) for each in (longest, emptiest) if each]

    def _seat(self, reader: Recipient) -> Seat:
        self._met[reader.subscriber_id] = reader
        return Seat(reader.subscriber_id, reader.email, greeting(reader), reader.institution, reader.language)


def _words(reader: Recipient) -> str:
    return f"{reader.email} {reader.name} {reader.position} {reader.institution} {reader.country}"


def _status(path: Path) -> stat_result | None:
    try:
        return path.stat()
    except OSError:  # not there, or gone this moment
        return None
