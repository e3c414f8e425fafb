"""What a reader reads, passage by passage, each with the line that it was written on."""

import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from mailer.issues.issue import Article, Issue, Section
from mailer.issues.rendering import without_rule

Kind = Literal["front", "title", "text", "label", "alt", "name"]
_BARE: Final = re.compile(r"\[\^[^\]\s]+\]:?|https?://[^\s<>|]+|`[^`\n]*`")
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)|<(?:https?|mailto):[^>]*>")
_MARKS: Final = re.compile(r"^[ \t]*(?:[-*+>]|\d+[.)])[ \t]+|\*+|(?<!\w)_+|_+(?!\w)|`|\\(?=[^\w\s])", re.MULTILINE)
_READ: Final = ("title", "tagline", "subject", "preheader", "office", "department")


class Passage(msgspec.Struct, frozen=True):
    """A title, a paragraph, an alt text, a name of a place or person. Line breaks stand where the author set them."""

    text: str
    line: int
    kind: Kind

    def line_at(self, position: int) -> int:
        """The line of the file that the character at `position` stands on."""
        return self.line + self.text.count("\n", 0, position)

    @property
    def in_capitals(self) -> bool:
        """Whether it is written in capitals throughout."""
        return any(map(str.isalpha, self.text)) and self.text.upper() == self.text


def passages(issue: Issue) -> Iterator[Passage]:
    """Every passage of an issue, in reading order."""
    for key in _READ:
        if text := getattr(issue, key):
            yield Passage(text, issue.lines.get(key, 1), "front")
    for section in issue.sections:
        yield from _headed(section)
        yield from _paragraphs(section.intro, section.intro_line)
        for article in section.articles:
            yield from _headed(article, "name" if article.layout == "signature" else "title")
            yield from _beside(article)
            yield from _paragraphs(article.body, article.body_line)


def paragraphs(markdown: str, line: int) -> Iterator[tuple[str, int]]:
    """The paragraphs of a Markdown body, as written, with the line each begins on."""
    start = 0
    for gap in [*re.finditer(r"\n[ \t]*\n\s*", markdown), None]:
        end = gap.start() if gap else len(markdown)
        if text := markdown[start:end]:
            yield text, line + markdown.count("\n", 0, start)
        start = gap.end() if gap else end


def _paragraphs(markdown: str, line: int) -> Iterator[Passage]:
    for text, first in paragraphs(markdown, line):
        yield Passage(_read_aloud(text), first, "text")


def _read_aloud(markdown: str) -> str:
    """
    What is read of a paragraph: no marks, no addresses, no code; its line breaks stay.

    >>> _read_aloud("Lea **el [acta](https://a.example)** en https://a.example/?x=1")
    'Lea el acta en '
    """
    told = _LINK.sub(lambda found: found[1] or "", without_rule(markdown))
    return _MARKS.sub("", _BARE.sub("", told))


def _headed(piece: Article | Section, kind: Kind = "title") -> Iterator[Passage]:
    if piece.title:
        yield Passage(piece.title, piece.line, kind)
    if piece.label:
        yield Passage(piece.label, piece.line, "label")


def _beside(article: Article) -> Iterator[Passage]:
    if article.place:
        yield Passage(article.place, article.line, "name")
    if article.tag:
        yield Passage(article.tag, article.line, "label")
    if article.picture:
        yield Passage(article.picture.alt, article.picture.line, "alt")
    if article.button:
        yield Passage(article.button.label, article.button.line, "label")
