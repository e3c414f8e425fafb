"""Weight: Gmail cuts a message off after some 102 kB of HTML, and hides the unsubscribe link with it."""

import html
from collections.abc import Iterator
from typing import Final

from mailer.editions.checks.circumstances import Sending
from mailer.editions.checks.remark import Remark, error
from mailer.editions.edition import Compiled, Edition
from mailer.issues.issue import Issue

MOST_BYTES: Final = 95_000
_NAMED: Final = 3


def weight(issue: Issue, compiled: Compiled | None, sending: Sending | None = None) -> Iterator[Remark]:
    """What the weight family has to say about the editions of an issue, as they are sent."""
    for edition in compiled.editions if compiled else ():
        size = len((sending.html(edition) if sending else edition.html).encode())
        if edition.language == issue.language and size > MOST_BYTES:
            heaviest = sorted(shares(issue, edition).items(), key=lambda each: -each[1])[:_NAMED]
            told = ", ".join(f'"{title}" {bytes_:,}' for title, bytes_ in heaviest)
            message = (
                f"the HTML for {edition.segment} has {size:,} bytes, and Gmail cuts it off; shorten it below 95,000"
            )
            yield error("html-weight", issue.where(), f"{message} (the heaviest: {told})" if told else message)


def shares(issue: Issue, edition: Edition) -> dict[str, int]:
    """The bytes of an edition's HTML from each article's title to the next one's, by title."""
    found: list[tuple[int, str]] = []
    position = 0
    for article in issue.articles:
        place = edition.html.find(html.escape(article.title, quote=False), position)
        if article.is_for(edition.segment) and place >= 0:
            found.append((place, article.title))
            position = place + 1
    ends = [place for place, _ in found[1:]] + [len(edition.html)]
    return {title: len(edition.html[start:end].encode()) for (start, title), end in zip(found, ends, strict=False)}
