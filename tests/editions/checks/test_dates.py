"""Dates in Spanish and English."""

from datetime import date
from pathlib import Path

import pytest

from mailer.editions.checks.dates import dates
from mailer.issues.issue import Article, Issue, Section


def told(text, language="es", month=date(2026, 12, 1)):
    article = Article(id="a", title="Título", body=text, line=9, body_line=11)
    issue = Issue(
        name="2026-12",
        folder=Path("issues/2026-12"),
        language=language,
        title="Brief",
        month=month,
        number=12,
        subject="Asunto",
        preheader="Entrada",
        sections=(Section("", "", "", 1, articles=(article,)),),
    )
    return [remark.finding for remark in dates(issue)]


WRONG = [
    ("El 31 de noviembre.", "es", 'no "31 de noviembre"'),
    ("El 0 de mayo y el 29 de febrero de 2026.", "es", 'no "0 de mayo"'),
    ("EL 31 DE SETIEMBRE", "es", 'no "31 DE SETIEMBRE"'),
    ("El 3 de mayo de 0000.", "es", 'no "3 de mayo de 0000"'),
    ("El lunes, 24 de diciembre de 2026.", "es", "was a jueves"),
    ("On Monday, December 24, 2026.", "en", "was a thursday"),
    ("On Monday the 24th of December.", "en", "was a thursday"),
    ("On November 31st.", "en", 'no "November 31st"'),
    ("On 31 November 2026.", "en", 'no "31 November 2026"'),
    ("Until next November 20.", "en", "is past"),
    ("Es el próximo lunes 2 de noviembre.", "es", "is past"),
    ("Fue el pasado 5 de enero.", "es", "still to come"),
]


@pytest.mark.parametrize(("text", "language", "expected"), WRONG)
def test_a_date_that_cannot_be_is_told(text, language, expected):
    """It doesn't exist, is another weekday, or is on the wrong side of the issue."""
    assert expected in told(text, language)[0].message


RIGHT = [
    ("El jueves 24 de diciembre, el 29 de febrero de 2024 y el 23 y 24 de noviembre.", "es"),
    ("Fue el pasado 23 y 24 de noviembre; será el próximo 5 de enero.", "es"),
    ("On Thursday, December 24 we may march 5 miles.", "en"),
    ("On 29 February 2024, and next January 5.", "en"),
    ("Am 31. November.", "de"),
]


@pytest.mark.parametrize(("text", "language"), RIGHT)
def test_a_date_that_fits_passes(text, language):
    """Leap days, ranges, words that look like months, languages that no rule speaks."""
    assert told(text, language) == []


def test_the_line_is_that_of_the_date():
    """Two lines down is two lines down."""
    assert told("Uno\ndos\nel 31 de abril")[0].where == "issues/2026-12/issue.md:13"
