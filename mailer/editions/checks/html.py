"""HTML: what the content brings that the template alone doesn't have, measured against the template's own baseline."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from lxml import etree
from lxml import html as lxml_html
from lxml.html import HtmlElement

from mailer.editions.checks.remark import Remark, error, warning
from mailer.editions.edition import Edition
from mailer.issues.issue import Issue

_FILE: Final = Path(__file__).with_name("client_support.toml")
# libxml2's names of what its parser met; ids that stand twice have a rule of their own.
_UNPAIRED: Final = frozenset(
    {"ERR_TAG_NAME_MISMATCH", "ERR_TAG_NOT_FINISHED", "ERR_GT_REQUIRED", "ERR_LTSLASH_REQUIRED"}
)
_CONDITIONAL: Final = re.compile(r"<!--\[if.*?<!\[endif\]-->", re.DOTALL)


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that some mail programs don't show: found by a CSS pattern, an element or a picture's ending."""

    name: str
    missing: tuple[str, ...]
    tested: date
    source: str
    css: str = ""
    element: str = ""
    image: str = ""


@cache
def features() -> tuple[Feature, ...]:
    """The facts of `client_support.toml`."""
    return msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8"))["feature"], tuple[Feature, ...])


def parsed(html: str) -> HtmlElement:
    """The page as every program but Outlook reads it: without its conditional comments."""
    return lxml_html.document_fromstring(_CONDITIONAL.sub("", html))


def html(issue: Issue, edition: Edition, plain: str) -> Iterator[Remark]:
    """What the HTML family has to say about an edition; `plain` is the template's own HTML, or nothing."""
    page = parsed(edition.html)
    yield from _same_ids(issue, page)
    yield from _tags(issue, edition)
    base = parsed(plain) if plain else None
    if base is not None:
        yield from _nesting(issue, edition, page, base)
    yield from _support(issue, edition, page, base, plain)


def element_line(issue: Issue, element: HtmlElement) -> int | None:
    """The line of the issue that an element comes from: that of the article or section whose heading is before it."""
    lines = {section.id: section.line for section in issue.sections if section.id}
    lines |= {article.id: article.line for article in issue.articles}
    before = element.xpath("(ancestor-or-self::*/@id | preceding::*/@id)")
    known = [lines[name] for name in before if name in lines]
    return known[-1] if known else None


def _same_ids(issue: Issue, page: HtmlElement) -> Iterator[Remark]:
    for name, count in Counter(page.xpath("//@id")).items():
        if count > 1:
            told = (
                f'the id "{name}" stands {count} times in the HTML, so links to it are ambiguous; give one another id'
            )
            yield error("html-duplicate-id", issue.where(), told)


def _tags(issue: Issue, edition: Edition) -> Iterator[Remark]:
    """What the parser of libxml2 had to make up for, as programs do that each guess differently."""
    parser = etree.HTMLParser(recover=True)
    etree.fromstring(_CONDITIONAL.sub("", edition.html).encode(), parser)
    for fault in dict.fromkeys(entry.message for entry in parser.error_log if entry.type_name in _UNPAIRED):
        told = f"the HTML is not whole ({fault}); mend the template or the piece that brings it"
        yield error("html-tags", issue.where(), told)


def _nesting(issue: Issue, edition: Edition, page: HtmlElement, base: HtmlElement) -> Iterator[Remark]:
    depth, usual = _depth(page), _depth(base)
    if depth > usual:
        told = (
            f"tables for {edition.segment} are nested {depth} deep where the template's own are {usual}; "
            f"Outlook loses its way in deep ones: use a plainer layout"
        )
        yield warning("html-nesting", issue.where(), told)


def _depth(page: HtmlElement) -> int:
    return max((len(table.xpath("ancestor-or-self::table")) for table in page.iter("table")), default=0)


def _support(
    issue: Issue, edition: Edition, page: HtmlElement, base: HtmlElement | None, plain: str
) -> Iterator[Remark]:
    for feature in features():
        if base is not None and _uses(feature, plain, base):
            continue
        if _uses(feature, edition.html, page):
            told = f"{feature.name} is not shown by {', '.join(feature.missing)} (tested {feature.tested})"
            yield warning("html-support", issue.where(), f"{told}; do without it, or see {feature.source}")


def _uses(feature: Feature, source: str, page: HtmlElement) -> bool:
    if feature.element:
        return page.find(f".//{feature.element}") is not None
    if feature.image:
        return any(str(url).lower().endswith(feature.image) for url in page.xpath("//img/@src"))
    return any(re.search(feature.css, css, re.IGNORECASE) for css in _css(source, page))


def _css(source: str, page: HtmlElement) -> Iterator[str]:
    yield from re.findall(r"<style\b[^>]*>(.*?)</style>", _CONDITIONAL.sub("", source), re.DOTALL)
    yield from map(str, page.xpath("//@style"))
