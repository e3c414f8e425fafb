"""The content of one month, as values: an issue of sections of articles, each knowing the line it was written on."""

from datetime import date, time
from pathlib import Path
from typing import Final

import msgspec

# What `{layout=…}` may say; the templates draw each of them, and an article or section that says nothing.
ARTICLE_LAYOUTS: Final = (
    *("lead", "left", "right", "stacked"),
    *("quote", "notice", "erratum", "agreement", "video", "signature"),
)
# Articles that stand for themselves even behind a section whose layout its articles follow.
CLOSING_LAYOUTS: Final = ("signature", "notice", "erratum", "quote")
SECTION_LAYOUTS: Final = ("routes", "cards", "triple", "rows", "figures", "events", "gallery", "documents")
# A button whose address begins so leads to a file of the issue's folder, which is published with it.
FILES: Final = "files/"


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


class When(msgspec.Struct, frozen=True):
    """The day or days that an article speaks of, and the hours in the publication's time zone if it names them."""

    first: date
    last: date
    begins: time | None = None
    ends: time | None = None


class Article(msgspec.Struct, frozen=True):
    """
    One piece: a title, a body in Markdown, and what stands beside it.

    The first line of `body` stands on line `body_line` of the file, and the lines between keep their distance.
    """

    id: str
    title: str
    body: str
    line: int
    body_line: int = 0
    layout: str = ""
    label: str = ""
    place: str = ""
    tag: str = ""
    figure: str = ""
    when: When | None = None
    sdgs: tuple[int, ...] = ()
    segments: tuple[str, ...] = ()
    picture: Picture | None = None
    button: Button | None = None
    # Set where a translation lacks the article and the original stands in.
    language: str = ""

    def is_for(self, segment: str) -> bool:
        """Whether readers of `segment` get the article: everybody does unless segments are named."""
        return not self.segments or segment in self.segments


class Section(msgspec.Struct, frozen=True):
    """A titled group of articles. The articles before the first `##` stand in a section with an empty title."""

    id: str
    title: str
    intro: str
    line: int
    intro_line: int = 0
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
    """
    One month's content in one language, as it stands in `issues/<name>/issue.md`.

    `lines` tells on which line each key of the front matter stands.
    """

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
    lines: dict[str, int] = {}

    def where(self, line: int | None = None) -> str:
        """The file as its author knows it, and the line: `issues/2022-11/issue.md:12`."""
        path = f"{self.folder.parent.name}/{self.folder.name}/{self.file}"
        return path if line is None else f"{path}:{line}"

    @property
    def articles(self) -> tuple[Article, ...]:
        """Every article, in reading order."""
        return tuple(article for section in self.sections for article in section.articles)
