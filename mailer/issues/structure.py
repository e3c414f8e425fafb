"""The content below the front matter: headings cut it into sections and articles."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from mailer.errors import AuthorError
from mailer.issues import attributes
from mailer.issues.issue import (
    ARTICLE_LAYOUTS,
    CLOSING_LAYOUTS,
    SECTION_LAYOUTS,
    Article,
    Button,
    Picture,
    Section,
    When,
)
from mailer.issues.names import Names
from mailer.issues.pieces import is_button, is_picture, read_button, read_picture
from mailer.issues.source import Source
from mailer.issues.when import read_when

_HEADING: Final = re.compile(r"[ \t]*(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_GLUED: Final = re.compile(r"[ \t]*#{2,6}[^#\s].*")
# What a word processor begins the items of a list with.
_BULLET: Final = re.compile(r"^([ \t]*)[•·▪◦‣●○■–][ \t]+", re.MULTILINE)
_INLINE_PICTURE: Final = re.compile(r"(?<!\\)!\[[^\]]*\]\(")
SECTION: Final = 2
ARTICLE: Final = 3


@dataclass
class _Piece:
    """A heading and the lines below it, up to the next heading."""

    level: int
    title: str
    line: int
    lines: list[tuple[int, str]] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)
    given_line: int = 0
    picture: Picture | None = None
    button: Button | None = None

    def body(self) -> tuple[str, int]:
        """What is left as Markdown, and the line that its first line stands on."""
        texts = [text.rstrip() if not text.endswith("  ") else text for _, text in self.lines]
        filled = [number for number, text in enumerate(texts) if text.strip()]
        if not filled:
            return "", self.line
        first, last = filled[0], filled[-1]
        text = "\n".join(texts[first : last + 1]).rstrip()
        return _BULLET.sub(r"\1- ", text), self.lines[first][0]


def read_sections(source: Source, start: int, folder: Path) -> tuple[Section, ...]:
    """
    The sections from line number `start` (counted from 0) on.

    A heading, an attribute, a picture or a button that isn't as it must be is a fault of the source, and left out.
    """
    pieces = _cut(source, start)
    for piece in pieces:
        _take_attributes(piece, source)
        _take_lone_lines(piece, source, folder)
    return _assemble(pieces, source)


def _cut(source: Source, start: int) -> list[_Piece]:
    """The pieces in reading order; the first is what stands before any heading."""
    pieces = [_Piece(SECTION, "", start + 1)]
    for number, text in enumerate(source.lines[start:], start + 1):
        if _GLUED.fullmatch(text):
            source.fault(number, "write a space between the ## and the heading")
            text = re.sub(r"#(?=[^#])", "# ", text, count=1)  # noqa: PLW2901 - read as it was meant
        if heading := _HEADING.fullmatch(text):
            with source.forgiving():
                pieces.append(_piece(heading, source, number))
        else:
            pieces[-1].lines.append((number, text))
    return pieces


def _piece(heading: re.Match[str], source: Source, line: int) -> _Piece:
    level, title = len(heading[1]), " ".join((heading[2] or "").split())
    if level < SECTION:
        raise source.wrong(
            line, "the title of the issue stands in the front matter; write ## for a section, ### for an article"
        )
    if level > ARTICLE:
        raise source.wrong(line, "headings end at ###; write ### for an article, or **bold** for a heading inside one")
    if not title:
        raise source.wrong(line, f"the heading is empty; write {heading[1]} and its title")
    if inline := re.search(r"\{\s*\w+\s*=.*\}$", title):
        source.fault(line, f"the attributes stand on a line of their own below the heading; move {inline[0]} there")
        title = title[: inline.start()].strip()
    return _Piece(level, title, line)


def _take_attributes(piece: _Piece, source: Source) -> None:
    first = next((index for index, (_, text) in enumerate(piece.lines) if text.strip()), None)
    for index, (number, text) in enumerate(piece.lines):
        if not attributes.is_attribute_line(text):
            continue
        piece.lines[index] = (number, "")
        if index != first or not piece.title:
            source.fault(number, "an attribute line stands directly below its heading; move it there")
            continue
        piece.given, piece.given_line = attributes.read_attributes(text, source, number), number


def _take_lone_lines(piece: _Piece, source: Source, folder: Path) -> None:
    for index, (number, text) in enumerate(piece.lines):
        if is_picture(text):
            with source.forgiving():
                _hang(piece, read_picture(text, source, number, folder), source)
        elif piece.level == ARTICLE and _stands_alone(piece, index) and is_button(text):
            with source.forgiving():
                _fasten(piece, read_button(text, source, number), source)
        else:
            if _INLINE_PICTURE.search(text):
                source.fault(number, "a picture stands alone on its line; move it to one of its own")
            continue
        piece.lines[index] = (number, "")


def _hang(piece: _Piece, picture: Picture, source: Source) -> None:
    if piece.level != ARTICLE:
        source.fault(picture.line, "a picture belongs to an article; move it below a ### heading")
    elif piece.picture:
        told = f"the article has a picture on line {piece.picture.line} already; give each its own ###"
        source.fault(picture.line, told)
    else:
        piece.picture = picture


def _fasten(piece: _Piece, button: Button, source: Source) -> None:
    if piece.button:
        told = f"the article has a button on line {piece.button.line} already; put this link in a sentence"
        source.fault(button.line, told)
    else:
        piece.button = button


def _stands_alone(piece: _Piece, index: int) -> bool:
    """Whether a line has free space above or below: inside a wrapped sentence a link stays in the sentence."""
    before = piece.lines[index - 1][1].strip() if index else ""
    after = piece.lines[index + 1][1].strip() if index + 1 < len(piece.lines) else ""
    return not (before and after)


def _assemble(pieces: list[_Piece], source: Source) -> tuple[Section, ...]:
    names = Names(source, [(piece.given["id"], piece.given_line) for piece in pieces if "id" in piece.given])
    sections: list[tuple[_Piece, list[Article]]] = []
    for piece in pieces:
        if piece.level == SECTION:
            sections.append((piece, []))
        else:
            sections[-1][1].append(_article(piece, names, source))
    made = [_section(piece, articles, names, source) for piece, articles in sections]
    return tuple(
        part for section in made if section.title or section.intro or section.articles for part in _parted(section)
    )


def _parted(section: Section) -> tuple[Section, ...]:
    """A section, and what closes it in a layout of its own as one without title: a signature is no card of a pair."""
    if not section.layout:
        return (section,)
    kept = len(section.articles)
    while kept and section.articles[kept - 1].layout in CLOSING_LAYOUTS:
        kept -= 1
    if kept == len(section.articles):
        return (section,)
    closing = section.articles[kept:]
    end = Section(id="", title="", intro="", line=closing[0].line, segments=section.segments, articles=closing)
    return (replace(section, articles=section.articles[:kept]), end)


def _article(piece: _Piece, names: Names, source: Source) -> Article:
    given, line = piece.given, piece.line
    body, body_line = piece.body()
    return Article(
        id=names.of(piece.title, given.get("id")),
        title=piece.title,
        body=body,
        line=line,
        body_line=body_line,
        layout=attributes.layout(
            given.get("layout", ""), ARTICLE_LAYOUTS, "an article (###)", source, piece.given_line
        ),
        label=given.get("label", ""),
        place=given.get("place", ""),
        tag=given.get("tag", ""),
        figure=given.get("figure", ""),
        when=_when(given, source, piece.given_line),
        sdgs=attributes.goals(given.get("sdgs", ""), source, piece.given_line),
        segments=attributes.words(given.get("segments", "")),
        picture=piece.picture,
        button=piece.button,
    )


def _when(given: dict[str, str], source: Source, line: int) -> When | None:
    try:
        return read_when(given, source, line)
    except AuthorError as fault:
        source.faults.append(fault)
        return None


def _section(piece: _Piece, articles: list[Article], names: Names, source: Source) -> Section:
    given, line = piece.given, piece.line
    intro, intro_line = piece.body()
    for key in ("place", "tag", "date", "time"):
        if key in given:
            source.fault(piece.given_line, f"{key} belongs to an article (###), not to a section; move it there")
    return Section(
        id=names.of(piece.title, given.get("id")) if piece.title else "",
        title=piece.title,
        intro=intro,
        line=line,
        intro_line=intro_line,
        layout=attributes.layout(given.get("layout", ""), SECTION_LAYOUTS, "a section (##)", source, piece.given_line),
        label=given.get("label", ""),
        figure=given.get("figure", ""),
        sdgs=attributes.goals(given.get("sdgs", ""), source, piece.given_line),
        segments=attributes.words(given.get("segments", "")),
        articles=tuple(articles),
    )
