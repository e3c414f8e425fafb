"""The page of components: an issue that shows every piece, with the Markdown of each beside what it draws."""

from pathlib import Path
from typing import Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mailer.editions.theme import Theme
from mailer.editions.theme_css import theme_css
from mailer.issues import Issue

SHOWCASE: Final = "showcase"
_PAGE: Final = Path(__file__).with_name("components.html")


class Example(msgspec.Struct, frozen=True):
    """A section of the issue, or an article before the first: its place on the page, and how it is written."""

    id: str
    title: str
    markdown: str


def examples(issue: Issue) -> list[Example]:
    """How each section of an issue is written, and each article that stands in none."""
    lines = (issue.folder / issue.file).read_text(encoding="utf-8").splitlines()
    pieces = [piece for section in issue.sections for piece in ([section] if section.title else section.articles)]
    ends = [piece.line - 1 for piece in pieces[1:]] + [len(lines)]
    return [
        Example(piece.id, piece.title, "\n".join(lines[piece.line - 1 : end]).strip())
        for piece, end in zip(pieces, ends, strict=True)
    ]


def components_page(issue: Issue, html: str, theme: Theme) -> str:
    """The page: what the issue looks like at the left, how it is written at the right."""
    jinja = Environment(loader=FileSystemLoader(_PAGE.parent), autoescape=True, undefined=StrictUndefined)
    return jinja.get_template(_PAGE.name).render(
        title=issue.subject, html=html, css=theme_css(theme), width=theme.shape.width, examples=examples(issue)
    )
