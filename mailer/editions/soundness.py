"""An issue without the pictures and documents that can't be used: what is left of it can be looked at."""

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from mailer.editions.edition import Image
from mailer.editions.enclosures import document
from mailer.errors import AuthorError
from mailer.issues import Article, Issue
from mailer.issues.issue import FILES


def sound(issue: Issue, picture: Callable[[Path], Image], faults: list[AuthorError]) -> Issue:
    """The issue with every picture and document tried: one that fails is left out, and why is added to `faults`."""
    sections = (
        replace(section, articles=tuple(_sound(article, issue, picture, faults) for article in section.articles))
        for section in issue.sections
    )
    return replace(issue, sections=tuple(sections))


def _sound(article: Article, issue: Issue, picture: Callable[[Path], Image], faults: list[AuthorError]) -> Article:
    if article.picture:
        try:
            picture(issue.folder / article.picture.path)
        except AuthorError as problem:
            faults.append(
                AuthorError(f'"{article.picture.path}": {problem.message}', issue.where(article.picture.line))
            )
            article = replace(article, picture=None)
    if article.button and article.button.url.startswith(FILES):
        try:
            document(issue, article.button.url, article.button.line)
        except AuthorError as problem:
            faults.append(problem)
            article = replace(article, button=None)
    return article
