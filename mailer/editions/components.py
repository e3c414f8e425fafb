"""The page of components: an issue that shows every piece, with the Markdown of each beside what it draws."""

from base64 import b64encode
from pathlib import Path
from typing import Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mailer.editions.edition import Edition, Imprint
from mailer.editions.sample import sample_html
from mailer.editions.theme import Theme
from mailer.editions.theme_css import theme_css
from mailer.issues import Article, Issue, Section
from mailer.language import words

_PAGE: Final = Path(__file__).with_name("components.html")


class Example(msgspec.Struct, frozen=True):
    """A piece of the issue: its place on the page, and how it is written. Without a place it is the page's head."""

    id: str
    title: str
    markdown: str


def examples(issue: Issue) -> list[Example]:
    """How the head of an issue is written, each section, and each article whose section leaves it its own layout."""
    lines = (issue.folder / issue.file).read_text(encoding="utf-8").splitlines()
    pieces = [piece for section in issue.sections for piece in _apart(section)]
    ends = [piece.line - 1 for piece in pieces[1:]] + [len(lines)]
    head = Example("", "Encabezado y objetivos", "\n".join(lines[: pieces[0].line - 1]).strip())
    return [head] + [
        Example(piece.id, piece.title, "\n".join(lines[piece.line - 1 : end]).strip())
        for piece, end in zip(pieces, ends, strict=True)
    ]


def _apart(section: Section) -> list[Article | Section]:
    """What is shown by itself: a section with layout as a whole, and of any other its articles."""
    if section.layout:
        return [section]
    return [section, *section.articles] if section.title else [*section.articles]


def components_page(issue: Issue, edition: Edition, imprint: Imprint, theme: Theme, *, live: str = "") -> str:
    """
    The page: what the issue looks like at the left, how it is written at the right, pictures within it.

    `live` is the address of a script that loads it anew after a save.
    """
    html = sample_html(edition, imprint)
    for image in edition.images:
        inside = f"data:{image.media_type};base64,{b64encode(image.content).decode()}"
        html = html.replace(f"images/{image.name}", inside)
    jinja = Environment(loader=FileSystemLoader(_PAGE.parent), autoescape=True, undefined=StrictUndefined)
    return jinja.get_template(_PAGE.name).render(
        title=issue.subject,
        html=html,
        css=theme_css(theme),
        width=theme.shape.width,
        examples=examples(issue),
        live=live,
        language=issue.language,
        _=words(issue.language),
    )
