"""The content of one month, as values: an issue of sections of articles, each knowing the line it was written on."""

from datetime import date
from pathlib import Path

import msgspec


class Picture(msgspec.Struct, frozen=True):
    """A picture as written: `![alt](path)`; the path is relative to the issue's folder."""

    path: str
    alt: str
    line: int


class Button(msgspec.Struct, frozen=True):
    """A link alone on its line. `#` means the article's own place in the web edition."""

    label: str
    url: str
    line: int


class Article(msgspec.Struct, frozen=True):
    """One piece: a title, a body in Markdown, and what stands beside it."""

    id: str
    title: str
    body: str
    line: int
    layout: str = ""
    label: str = ""
    place: str = ""
    tag: str = ""
    figure: str = ""
    sdgs: tuple[int, ...] = ()
    segments: tuple[str, ...] = ()
    picture: Picture | None = None
    button: Button | None = None

    def is_for(self, segment: str) -> bool:
        """Whether readers of `segment` get the article: everybody does unless segments are named."""
        return not self.segments or segment in self.segments


class Section(msgspec.Struct, frozen=True):
    """A titled group of articles. The articles before the first `##` stand in a section with an empty title."""

    id: str
    title: str
    intro: str
    line: int
    layout: str = ""
    label: str = ""
    figure: str = ""
    sdgs: tuple[int, ...] = ()
    segments: tuple[str, ...] = ()
    articles: tuple[Article, ...] = ()

    def is_for(self, segment: str) -> bool:
        """Whether readers of `segment` get the section."""
        return not self.segments or segment in self.segments


class Issue(msgspec.Struct, frozen=True):
    """One month's content in one language, as it stands in `issues/<name>/issue.md`."""

    name: str
    folder: Path
    language: str
    title: str
    month: date
    number: int
    subject: str
    preheader: str
    tagline: str = ""
    office: str = ""
    department: str = ""
    sdgs: tuple[int, ...] = ()
    sections: tuple[Section, ...] = ()
    file: str = "issue.md"

    @property
    def articles(self) -> tuple[Article, ...]:
        """Every article, in reading order."""
        return tuple(article for section in self.sections for article in section.articles)
