"""Calendar: the day of the send, and what the last issue said already."""

from collections.abc import Collection, Iterator
from datetime import date
from difflib import SequenceMatcher
from typing import Final

from mailer.business_days import day_off
from mailer.editions.checks.circumstances import Silence
from mailer.editions.checks.remark import Remark, error, warning
from mailer.issues.issue import Article, Issue

_LIKE: Final = 0.9
_ENOUGH: Final = 60


def send_day(issue: Issue, day: date, silences: Collection[Silence]) -> Iterator[Remark]:
    """What is wrong with sending on a day."""
    for silence in silences:
        if silence.first <= day <= silence.last:
            told = (
                f"the send falls on {day}, in the electoral silence from {silence.first} to {silence.last} "
                f"({silence.reason}); choose another day"
            )
            yield error("electoral-silence", issue.where(), told)
    if name := day_off(day):
        told = f"the send falls on {day}, {name}; nobody reads then and nobody answers: choose a business day"
        yield warning("send-day", issue.where(), told)


def repeated(issue: Issue, previous: Issue) -> Iterator[Remark]:
    """What the last issue of the same language held already."""
    if issue.number <= previous.number and issue.month.year == previous.month.year:
        told = f"the number {issue.number} doesn't follow {previous.number}, the number of {previous.name}"
        yield warning("number", issue.where(issue.lines.get("number")), told)
    old = [(article, _plain(article)) for article in previous.articles]
    for article in issue.articles:
        text = _plain(article)
        if len(text) < _ENOUGH:
            continue
        before = next((other for other, words in old if _alike(text, words)), None)
        if before is not None:
            told = (
                f'"{article.title}" says what "{before.title}" said in {previous.name}; write what is new, or leave '
                f"it out"
            )
            yield error("repeated-issue", issue.where(article.line), told)
    if issue.subject.casefold() == previous.subject.casefold():
        told = f"the subject is that of {previous.name}; inboxes would thread the two: write another"
        yield warning("repeated-issue", issue.where(issue.lines.get("subject")), told)


def _plain(article: Article) -> str:
    return " ".join(article.body.casefold().split())


def _alike(text: str, other: str) -> bool:
    if text == other:
        return True
    matcher = SequenceMatcher(None, text, other, autojunk=False)
    # The two quick bounds are cheap and never below the ratio.
    return matcher.real_quick_ratio() >= _LIKE and matcher.quick_ratio() >= _LIKE and matcher.ratio() >= _LIKE
