"""
The page that readers of one segment get in one language: what the templates draw and the text part tells.

HTML and text come from the same values, so that neither says what the other doesn't.
"""

from collections.abc import Callable
from datetime import date
from math import gcd
from pathlib import Path

import msgspec
from markupsafe import Markup

from mailer.editions.edition import Enclosure, Image, Imprint
from mailer.editions.enclosures import calendar_date, document, kind, weight
from mailer.editions.sdgs import Goal, goals
from mailer.errors import AuthorError
from mailer.issues import Article, Button, Issue, Picture, Section
from mailer.issues.issue import FILES, When
from mailer.issues.markdown import to_html
from mailer.language import Words, words

LONGEST_ENTRY = 40
# Sections of many small pieces, which the table of contents names as a whole.
_AS_ONE = frozenset({"triple", "figures", "events", "gallery", "documents"})


class Illustration(msgspec.Struct, frozen=True):
    """A picture in its place: the URL, the alt text, and the image behind it."""

    url: str
    alt: str
    image: Image

    @property
    def shape(self) -> str:
        """The ratio as a class name, `r16x9`: with images off, the place stays as large as the picture."""
        common = gcd(self.image.width, self.image.height)
        return f"r{self.image.width // common}x{self.image.height // common}"

    @property
    def ground(self) -> str:
        """The ground under the picture as a class name; none under one that is seen through."""
        return f"c{self.image.colour[1:].lower()}" if self.image.colour else ""


class Moment(msgspec.Struct, frozen=True):
    """The day of an article: on a leaf of a calendar, in words; of an event also the file for the reader's own."""

    day: str
    month: str
    told: str
    url: str
    file: Enclosure | None


class Entry(msgspec.Struct, frozen=True):
    """A line of the table of contents."""

    id: str
    title: str


class Piece(msgspec.Struct, frozen=True):
    """An article as this page shows it. In `routes`, `number` counts the stops and `side` is the picture's."""

    id: str
    title: str
    body: str
    html: Markup
    layout: str
    label: str
    place: str
    tag: str
    figure: str
    when: Moment | None
    sdgs: tuple[Goal, ...]
    picture: Illustration | None
    button: Button | None
    document: str
    weight: str
    file: Enclosure | None
    note: str
    tongue: Markup
    number: int
    side: str


class Part(msgspec.Struct, frozen=True):
    """
    A section as this page shows it; `level` is the heading level of its articles.

    A run of `routes` sections is one line: `continues` says that it began before, `continued` that it goes on.
    """

    id: str
    title: str
    intro: str
    html: Markup
    layout: str
    label: str
    figure: str
    sdgs: tuple[Goal, ...]
    pieces: tuple[Piece, ...]
    level: int
    continues: bool
    continued: bool


class Page(msgspec.Struct, frozen=True):
    """Everything between the preheader and the footer."""

    issue: str
    language: str
    title: str
    subject: str
    preheader: str
    tagline: str
    office: str
    department: str
    month: date
    number: int
    sdgs: tuple[Goal, ...]
    parts: tuple[Part, ...]
    segment_title: str
    paper: str = ""
    wordmark: Illustration | None = None

    @property
    def month_name(self) -> str:
        """The month as it stands in a sentence."""
        return words(self.language).month(self.month)

    @property
    def contents(self) -> tuple[Entry, ...]:
        """What follows the lead: sections by their label, or by their articles where those have short titles."""
        return tuple(entry for part in self.parts if part.title for entry in _entries(part))

    @property
    def images(self) -> tuple[Image, ...]:
        """Each picture once, in reading order."""
        return tuple({found.image.name: found.image for found in self._illustrations}.values())

    @property
    def files(self) -> tuple[Enclosure, ...]:
        """Each document and calendar date once, in reading order."""
        pieces = [piece for part in self.parts for piece in part.pieces]
        found = [file for piece in pieces for file in (piece.file, piece.when.file if piece.when else None) if file]
        return tuple({file.name: file for file in found}.values())

    def wears(self, *layouts: str) -> bool:
        """Whether a section or an article has one of these layouts: styles that nobody wears are left out."""
        worn = {part.layout for part in self.parts} | {piece.layout for part in self.parts for piece in part.pieces}
        return not worn.isdisjoint(layouts)

    def writes(self, element: str) -> bool:
        """Whether the text has such an element, `<table`: styles of what nobody wrote are left out."""
        texts = [text for part in self.parts for text in (part.html, *(piece.html for piece in part.pieces))]
        return any(element in text for text in texts)

    @property
    def grounds(self) -> dict[str, str]:
        """The colour that each picture's place has until the picture is there, by class name."""
        return {found.ground: found.image.colour for found in self._illustrations if found.ground}

    @property
    def shapes(self) -> tuple[str, ...]:
        """The ratios that occur, as class names."""
        return tuple(dict.fromkeys(found.shape for found in self._illustrations))

    @property
    def _illustrations(self) -> list[Illustration]:
        pictures = [piece.picture for part in self.parts for piece in part.pieces if piece.picture]
        return [self.wordmark, *pictures] if self.wordmark else pictures


def lay_out(
    issue: Issue,
    segment: str,
    segment_title: str,
    *,
    imprint: Imprint,
    picture: Callable[[Path], Image],
    wordmark: Image | None = None,
) -> Page:
    """Choose what readers of `segment` get, and resolve its goals, pictures and links."""
    sections = [section for section in issue.sections if section.is_for(segment)]
    chosen = [(section, [a for a in section.articles if a.is_for(segment)]) for section in sections]
    kept = [(section, articles) for section, articles in chosen if articles or section.intro]
    return Page(
        issue=issue.name,
        language=issue.language,
        title=issue.title,
        subject=issue.subject,
        preheader=issue.preheader,
        tagline=issue.tagline,
        office=issue.office,
        department=issue.department,
        month=issue.month,
        number=issue.number,
        sdgs=_goals(issue.sdgs),
        parts=tuple(_parts(kept, _Desk(issue, segment, imprint, picture))),
        segment_title=segment_title,
        paper=imprint.paper(issue.name, issue.language) if imprint.pdf else "",
        wordmark=Illustration(imprint.picture(wordmark), issue.office or imprint.name, wordmark) if wordmark else None,
    )


class _Desk:
    """Turns articles into pieces, counting the stops of a line as they come."""

    def __init__(self, issue: Issue, segment: str, imprint: Imprint, picture: Callable[[Path], Image]) -> None:
        self.issue, self.segment, self.imprint, self._picture = issue, segment, imprint, picture
        self.stops = 0
        self.is_apart = False
        self.translate = words(issue.language)

    def piece(self, article: Article, *, event: bool = False) -> Piece:
        self.stops += 1
        html, layout = to_html(article.body), article.layout or "stacked"
        if layout in {"left", "right"} and "<table" in html:  # beside a picture its columns would break their words
            layout = "stacked"
        file = self.document(article)
        return Piece(
            id=article.id,
            title=article.title,
            body=article.body,
            html=Markup(f'<div lang="{article.language}">{html}</div>' if article.language else html),  # noqa: S704 - mistune escapes, nh3 has cleaned it
            layout=layout,
            label=article.label or (self.translate("Fe de erratas") if article.layout == "erratum" else ""),
            place=article.place,
            tag=article.tag,
            figure=article.figure,
            when=self.moment(article, article.when, event=event) if article.when else None,
            sdgs=_goals(article.sdgs),
            picture=self.illustration(article.picture) if article.picture else None,
            button=self.button(article, file),
            document=kind(article.button.url) if article.button else "",
            weight=weight(file.content) if file else "",
            file=file,
            note=self.note(article),
            tongue=Markup(' lang="{}"').format(article.language) if article.language else Markup(),
            number=self.stops,
            side=article.layout if article.layout in {"left", "right"} else ("right", "left")[self.stops % 2],
        )

    def illustration(self, picture: Picture) -> Illustration:
        try:
            image = self._picture(self.issue.folder / picture.path)
        except AuthorError as problem:  # it knows the file alone
            raise AuthorError(f'"{picture.path}": {problem.message}', self.issue.where(picture.line)) from None
        return Illustration(url=self.imprint.picture(image), alt=picture.alt, image=image)

    def document(self, article: Article) -> Enclosure | None:
        button = article.button
        return document(self.issue, button.url, button.line) if button and button.url.startswith(FILES) else None

    def place(self, article: Article) -> str:
        """Where an article stands in the web edition: of what is for some alone, in the edition that they got."""
        if article.segments or self.is_apart:
            home = f"{self.imprint.public_url.rstrip('/')}/brief/{self.issue.name}"
            return f"{home}/{self.segment}/{self.issue.language}#{article.id}"
        return self.imprint.place(self.issue.name, article.id)

    def button(self, article: Article, file: Enclosure | None) -> Button | None:
        button = article.button
        if button and file:
            return Button(button.label, self.imprint.file(file), button.line)
        if button and button.url == "#":
            return Button(button.label, self.place(article), button.line)
        return button

    def moment(self, article: Article, when: When, *, event: bool) -> Moment:
        place = self.place(article)
        file = calendar_date(self.issue, article, self.imprint.timezone, place) if event else None
        return Moment(
            day=str(when.first.day) if when.first == when.last else f"{when.first.day}–{when.last.day}",
            month=self.translate.short_month(when.first),
            told=_told(when, self.translate),
            url=self.imprint.file(file) if file else "",
            file=file,
        )

    def note(self, article: Article) -> str:
        if not article.language:
            return ""
        return self.translate("Por ahora, solo en {language}", language=self.translate.tongue(article.language))


def _parts(kept: list[tuple[Section, list[Article]]], desk: _Desk) -> list[Part]:
    parts = []
    layouts = ["", *(section.layout for section, _ in kept), ""]
    for index, (section, articles) in enumerate(kept, 1):
        continues = section.layout == "routes" == layouts[index - 1]
        if not continues:
            desk.stops = 0
        desk.is_apart = bool(section.segments)
        parts.append(
            Part(
                id=section.id,
                title=section.title,
                intro=section.intro,
                html=Markup(to_html(section.intro)),  # noqa: S704 - mistune escapes, nh3 has cleaned it
                layout=section.layout or "plain",
                label=section.label,
                figure=section.figure,
                sdgs=_goals(section.sdgs),
                pieces=tuple(desk.piece(article, event=section.layout == "events") for article in articles),
                level=3 if section.title else 2,
                continues=continues,
                continued=section.layout == "routes" == layouts[index + 1],
            )
        )
    return parts


def _told(when: When, translate: Words) -> str:
    """The day and the hours, as they stand above a title."""
    days = translate.days(when.first, when.last)
    if not when.begins:
        return days
    hours = f"{when.begins:%H:%M}" + (f"–{when.ends:%H:%M}" if when.ends else "")
    return f"{days}, {hours}"


def _goals(numbers: tuple[int, ...]) -> tuple[Goal, ...]:
    return tuple(goals()[number] for number in numbers)


def _entries(part: Part) -> list[Entry]:
    told = [piece for piece in part.pieces if piece.layout != "signature"]
    if part.pieces and not told:
        return []  # nobody looks for the farewell
    tellable = all(len(piece.title) <= LONGEST_ENTRY for piece in told) and part.layout not in _AS_ONE
    if part.label or not tellable or not told:
        return [Entry(part.id, part.label or part.title)]
    return [Entry(piece.id, piece.title) for piece in told]
