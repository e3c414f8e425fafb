"""The day of the send, and what the last issue said."""

from datetime import date
from pathlib import Path

import pytest

from mailer.editions.checks.calendar import repeated, send_day
from mailer.editions.checks.circumstances import Silence
from mailer.issues.issue import Article, Issue, Section

LONG = "El Municipio de Quito firmó con doce ciudades un acuerdo sobre el agua, y lo celebró con un concierto. "
SILENCE = Silence(date(2026, 2, 5), date(2026, 2, 8), "elecciones seccionales")


def issue(name="2026-12", number=12, body=LONG, subject="Uno"):
    article = Article(id="a", title="Agua", body=body, line=9)
    return Issue(
        name=name,
        folder=Path("issues") / name,
        language="es",
        title="Brief",
        month=date(int(name[:4]), int(name[5:7]), 1),
        number=number,
        subject=subject,
        preheader="p",
        sections=(Section("", "", "", 1, articles=(article,)),),
        lines={"number": 4, "subject": 5},
    )


DAYS = [
    (date(2026, 2, 4), []),
    (date(2026, 2, 5), ["electoral-silence"]),
    (date(2026, 2, 8), ["electoral-silence", "send-day"]),
    (date(2022, 11, 26), ["send-day"]),
    (date(2022, 11, 4), ["send-day"]),
    (date(2022, 11, 30), []),
]


@pytest.mark.parametrize(("day", "expected"), DAYS)
def test_a_send_in_silence_blocks_and_one_on_a_day_off_is_told(day, expected):
    """Both ends of the silence count; holidays are Ecuador's, as observed."""
    assert [remark.finding.code for remark in send_day(issue(), day, [SILENCE])] == expected


def test_what_the_last_issue_said_already_blocks():
    """The same article again, or nearly the same, can't go out; a new one with the same title can."""
    last = issue("2026-11", 11, subject="Otro")
    again = issue(body=LONG.replace("doce", "trece"))
    assert [remark.finding.code for remark in repeated(again, last)] == ["repeated-issue"]
    assert list(repeated(issue(body="Otra cosa, del todo nueva, con otras palabras y otros nombres. " * 3), last)) == []
    assert list(repeated(issue(body="Corto."), issue("2026-11", 11, body="Corto.", subject="Otro"))) == []


def test_numbers_follow_and_subjects_differ():
    """Within a year the number grows; a subject used again would be threaded with the old one."""
    found = list(repeated(issue(number=11, body="Nuevo."), issue("2026-11", 11, body="Viejo.")))
    assert [(each.finding.code, each.finding.where[-2:]) for each in found] == [
        ("number", ":4"),
        ("repeated-issue", ":5"),
    ]
    assert list(repeated(issue("2027-01", 1, subject="Dos"), issue("2026-12", 12, body="Viejo."))) == []
