"""Accessibility as axe-core judges it in chromium, where both are there: pip installs it as axe-playwright-python."""

import html
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from mailer.editions.checks.remark import Remark, warning
from mailer.editions.edition import Edition
from mailer.issues.issue import Issue

_TOLD: Final = re.compile(r'data-axe="([^"]*)"')
# Each finding is told with the id that stands last before it: that of its article's heading.
_ASKING: Final = """
axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })
  .then((found) => {
    const named = [...document.querySelectorAll("h1[id], h2[id], h3[id]")];
    const before = (node) => named.filter((each) => each === node || each.compareDocumentPosition(node) & 4).pop();
    const told = found.violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, html }) => {
      const node = document.querySelector(target[0]);
      const place = node && before(node);
      return { rule: id, help, anchor: place ? place.id : "", html: html.slice(0, 80) };
    }));
    for (const script of document.querySelectorAll("script")) script.remove();
    document.documentElement.setAttribute("data-axe", JSON.stringify(told));
  });
"""


class Barrier(msgspec.Struct, frozen=True):
    """What axe complains of: its rule, what to do, the id of the heading before it, and how the element begins."""

    rule: str
    help: str
    anchor: str
    html: str


def barriers(page: str, finish: Callable[[Path], str]) -> list[Barrier]:
    """What axe says of a page; nothing where it isn't installed. `finish` gives a file's HTML after its scripts ran."""
    found = find_spec("axe_playwright_python")
    script = Path(found.origin).with_name("axe.min.js") if found and found.origin else None
    if script is None or not script.is_file():
        return []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "page.html")
        scripts = f"<script>{script.read_text(encoding='utf-8')}</script><script>{_ASKING}</script>"
        file.write_text(page.replace("</body>", f"{scripts}</body>"), encoding="utf-8")
        told = _TOLD.search(finish(file))
    return msgspec.convert(json.loads(html.unescape(told[1])), list[Barrier]) if told else []


def judged_by_axe(issue: Issue, edition: Edition, ask: Callable[[Edition], list[Barrier]]) -> Iterator[Remark]:
    """What axe has to say about an edition."""
    lines = {section.id: section.line for section in issue.sections if section.id}
    lines |= {article.id: article.line for article in issue.articles}
    for barrier in ask(edition):
        told = f"{barrier.help}: {barrier.html} (axe: {barrier.rule}); change the text or the template there"
        yield warning("accessible-axe", issue.where(lines.get(barrier.anchor)), told)
