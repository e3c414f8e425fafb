"""A translation that lacks something is completed from the original, article by article."""

import pytest

from mailer.issues import read
from mailer.issues.translation import completed

ORIGINAL = """### Uno
{id=uno}

Primero

### Dos
{id=dos segments=gads}

Segundo

## Sección
{id=seccion}

### Tres
{id=tres}

Tercero

## Otra
{id=otra}

### Cuatro
{id=cuatro}

Cuarto
"""


@pytest.fixture
def issues(tmp_path):
    """Write an issue and its translation, and give both."""

    def write(translation: str):
        folder = tmp_path / "2026-12"
        folder.mkdir()
        head = "---\ntitle: T\nmonth: 2026-12\nnumber: 1\nsubject: S\npreheader: P\nlanguage: {}\n---\n\n"
        (folder / "issue.md").write_text(head.format("es") + ORIGINAL, encoding="utf-8")
        (folder / "issue.en.md").write_text(head.format("en") + translation, encoding="utf-8")
        return read(folder), read(folder, "en")

    return write


def told(issue):
    return [[(article.id, article.language) for article in section.articles] for section in issue.sections]


def test_missing_articles_stand_in_their_place_in_the_original(issues):
    """What is translated stays; what isn't comes from the original, marked, where the original has it."""
    original, english = issues(
        "### Two\n{id=dos}\n\nSecond\n\n## Section\n{id=seccion}\n\n### New\n{id=new}\n\nOnly here\n"
    )
    assert told(completed(english, original)) == [
        [("uno", "es"), ("dos", "")],
        [("tres", "es"), ("new", "")],
        [("cuatro", "es")],
    ]


def test_a_complete_translation_stays_as_it_is(issues):
    """Nothing is added where nothing is missing, and the original is never changed."""
    original, english = issues(ORIGINAL)
    assert completed(english, original) == english
    assert completed(original, original) is original


def test_who_an_article_is_for_stays(issues):
    """An article for one segment is for that segment in every language."""
    original, english = issues("### One\n{id=uno}\n\nFirst\n")
    two = next(article for article in completed(english, original).articles if article.id == "dos")
    assert two.segments == ("gads",)
