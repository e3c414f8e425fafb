"""Accessibility: what a screen reader meets, by rules that need no browser (WCAG 2.2: 1.1.1, 1.3.1, 2.4.4, 3.1.1)."""

import re
from collections.abc import Iterator
from typing import Final

from lxml.html import HtmlElement

from mailer.editions.checks.html import element_line, parsed
from mailer.editions.checks.passages import paragraphs
from mailer.editions.checks.remark import Remark, error, warning
from mailer.editions.edition import Edition
from mailer.issues.issue import Issue
from mailer.issues.markdown import links as links_of

_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
# A button stands below its article's title and is read with it; a link in a sentence must say where it leads.
_SAYS_NOTHING: Final = re.compile(
    r"(?:(?:haga |haz |dar |de )?(?:clic|click)(?: en)?(?: aqu[ií]| here)?|aqu[ií]|ac[aá]|este (?:enlace|link|vínculo)"
    r"|(?:el )?enlace|link|here|this link|more|read more|m[aá]s|leer m[aá]s|ver m[aá]s|m[aá]s informaci[oó]n)[\s.:…]*",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def accessibility(issue: Issue, edition: Edition) -> Iterator[Remark]:
    """What the accessibility family has to say about an edition."""
    page = parsed(edition.html)
    if not page.get("lang"):
        yield error("accessible-language", issue.where(), "the HTML doesn't say its language; the template must set it")
    for image in page.iter("img"):
        if image.get("alt") is None:
            where = issue.where(element_line(issue, image))
            yield error("accessible-alt", where, "a picture has no alt attribute; the template must set it")
    for table in page.iter("table"):
        if table.get("role") not in {"presentation", "none"} and table.find(".//th") is None:
            where = issue.where(element_line(issue, table))
            told = 'a table for layout lacks role="presentation", and is read aloud as data; the template must set it'
            yield warning("accessible-table", where, told)
            break
    yield from _headings(issue, page)


def link_texts(issue: Issue) -> Iterator[Remark]:
    """The links in sentences whose text says nothing when it is read alone."""
    for section in issue.sections:
        bodies = [(section.intro, section.intro_line), *((a.body, a.body_line) for a in section.articles)]
        for body, first in bodies:
            for text, line in paragraphs(body, first):
                yield from _link_texts(issue, text, line)


def _link_texts(issue: Issue, text: str, line: int) -> Iterator[Remark]:
    for label, url in links_of(text):
        if _SAYS_NOTHING.fullmatch(label.strip()) or (_ADDRESS.fullmatch(label.strip()) and url.startswith("http")):
            where = issue.where(line + text.count("\n", 0, max(text.find(url), 0)))
            told = f'the link "{label}" says nothing when it is read alone; name what it leads to'
            yield warning("accessible-link", where, told)


def _headings(issue: Issue, page: HtmlElement) -> Iterator[Remark]:
    last = 0
    for heading in page.iter(*_HEADINGS):
        level = int(heading.tag[1])
        if level > last + 1:
            after = f"after one of level {last}" if last else "at the beginning"
            told = (
                f'"{heading.text_content().strip()[:60]}" is a heading of level {level} {after}; the template skips one'
            )
            yield warning("accessible-headings", issue.where(element_line(issue, heading)), told)
        last = level
