"""Dates: those that don't exist, fall on another weekday, or are past where the text says that they are to come."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import Final

import msgspec

from mailer.editions.checks.passages import Passage, passages
from mailer.editions.checks.remark import Remark, warning
from mailer.issues.issue import Issue


class _Speech(msgspec.Struct, frozen=True):
    """How a language says a date: its months and weekdays, the forms of a date, and what makes it past or to come."""

    months: tuple[str, ...]
    weekdays: tuple[str, ...]
    forms: tuple[re.Pattern[str], ...]
    ahead: re.Pattern[str]
    behind: re.Pattern[str]

    def month(self, name: str) -> int:
        """The number of a month."""
        return self.months.index(name.lower().replace("setiembre", "septiembre")) + 1


_ES_MONTHS: Final = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)
_ES_DAYS: Final = (
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
)
_EN_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_EN_DAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_EN_NAMES: Final = "|".join(name.capitalize() for name in _EN_MONTHS)
_EN_WEEKDAY: Final = rf"(?:\b(?P<weekday>{'|'.join(name.capitalize() for name in _EN_DAYS)}),?\s+(?:the\s+)?)?"
_EN_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_SPEECHES: Final = {
    "es": _Speech(
        months=_ES_MONTHS,
        weekdays=_ES_DAYS,
        forms=(
            re.compile(
                rf"(?:\b(?P<weekday>{'|'.join(_ES_DAYS)}),?\s+)?\b(?P<day>\d{{1,2}})\s+de\s+"
                rf"(?P<month>{'|'.join(_ES_MONTHS)}|setiembre)(?:\s+del?\s+(?P<year>\d{{4}}))?\b",
                re.IGNORECASE,
            ),
        ),
        ahead=re.compile(r"\b(?:próximo|venidero)\s+(?:\w+\s+)?$", re.IGNORECASE),
        behind=re.compile(r"\bpasado\s+(?:\w+\s+)?$", re.IGNORECASE),
    ),
    "en": _Speech(
        months=_EN_MONTHS,
        weekdays=_EN_DAYS,
        forms=(
            re.compile(rf"{_EN_WEEKDAY}\b(?P<month>{_EN_NAMES})\s+{_EN_DAY}\b(?:,?\s+(?P<year>\d{{4}}))?"),
            re.compile(rf"{_EN_WEEKDAY}\b{_EN_DAY}\s+(?:of\s+)?(?P<month>{_EN_NAMES})\b(?:,?\s+(?P<year>\d{{4}}))?"),
        ),
        ahead=re.compile(r"\b(?:next|coming|upcoming)\s+$", re.IGNORECASE),
        behind=re.compile(r"\b(?:last|past)\s+$", re.IGNORECASE),
    ),
}


def months(language: str) -> tuple[str, ...]:
    """The months' names in a language, in small letters; none for a language that no rule speaks."""
    speech = _SPEECHES.get(language)
    return speech.months if speech else ()


def dates(issue: Issue) -> Iterator[Remark]:
    """What is wrong with the dates of an issue."""
    speech = _SPEECHES.get(issue.language)
    if speech is None:
        return
    yield from _gone(issue)
    for passage in passages(issue):
        for form in speech.forms:
            for found in form.finditer(passage.text):
                if told := _judged(found, passage, speech, issue.month):
                    yield warning("date", issue.where(passage.line_at(found.start())), told)


def _gone(issue: Issue) -> Iterator[Remark]:
    """Events that are over before the issue's month begins."""
    for section in issue.sections:
        for article in section.articles if section.layout == "events" else ():
            if article.when and article.when.last < issue.month:
                told = f'"{article.title}" is on {article.when.last}, before this issue\'s month; mend its date'
                yield warning("date", issue.where(article.line), told)


def _judged(found: re.Match[str], passage: Passage, speech: _Speech, issue: date) -> str:
    month, day = speech.month(found["month"]), int(found["day"])
    year = int(found["year"] or _likely_year(issue, month))
    text = " ".join(found[0].split())
    if not date.min.year <= year <= date.max.year or not 1 <= day <= monthrange(year, month)[1]:
        return f'there is no "{text}"; mend the date'
    when = date(year, month, day)
    right = speech.weekdays[when.weekday()]
    if found["weekday"] and found["weekday"].lower() != right:
        return f'"{text}" was a {right}, not a {found["weekday"].lower()}; mend the date'
    before = passage.text[: found.start()]
    if speech.ahead.search(before) and when < issue:
        return f'"{text}" is past when this issue goes out, not to come; mend it'
    if speech.behind.search(before) and when > issue.replace(day=monthrange(issue.year, issue.month)[1]):
        return f'"{text}" is still to come when this issue goes out; mend it'
    return ""


def _likely_year(issue: date, month: int) -> int:
    """The year that a month without one most likely means: the nearest."""
    return min(
        (issue.year - 1, issue.year, issue.year + 1),
        key=lambda year: abs((year - issue.year) * 12 + month - issue.month),
    )
