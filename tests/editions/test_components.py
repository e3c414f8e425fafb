"""Every piece that the guide describes can be written as it says, and is shown on the page of components."""

import re
import shutil
from itertools import pairwise

import pytest

from mailer.editions.compose import compose
from mailer.errors import AuthorError
from mailer.issues import read
from mailer.issues.issue import ARTICLE_LAYOUTS, SECTION_LAYOUTS
from tests.editions.november import IMPRINT, ROOT, SEGMENTS, TEMPLATES

GUIDE = (ROOT / "issues" / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```markdown\n(.*?)```", GUIDE.split("## The pieces")[1], re.DOTALL)
SHOWCASE = ROOT / "templates" / "showcase" / "2026-12-componentes"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[1])
def test_what_the_guide_shows_can_be_written(tmp_path, picture, example):
    """Each example of the guide is read and drawn, its words in the HTML and the text."""
    folder = tmp_path / "issues" / "2026-12"
    folder.mkdir(parents=True)
    for name in ("images", "files"):
        shutil.copytree(SHOWCASE / name, folder / name)
    head = "---\ntitle: T\nmonth: 2026-12\nnumber: 12\nsubject: S\npreheader: P\n---\n\n"
    (folder / "issue.md").write_text(head + example, encoding="utf-8")
    edition = compose([read(folder)], SEGMENTS, imprint=IMPRINT, templates=TEMPLATES, picture=picture).editions[0]
    for title in re.findall(r"^#+ (.+)$", example, re.MULTILINE):
        assert title in edition.html
        assert title in " ".join(edition.text.split())


def test_the_guide_and_the_page_of_components_know_every_layout():
    """A layout that no example shows is one that nobody finds."""
    shown = (SHOWCASE / "issue.md").read_text(encoding="utf-8")
    for layout in (*ARTICLE_LAYOUTS, *SECTION_LAYOUTS):
        assert f"`{layout}`" in GUIDE
        assert f"layout={layout}" in shown


def test_documents_and_dates_go_with_the_edition(showcase):
    """A document of the folder and a date for the calendar are files of the edition, linked by their public address."""
    names = {file.name.partition("-")[2]: file for file in showcase.files}
    assert set(names) == {"guia.pdf", "seminario.ics", "semana.ics"}
    for file in showcase.files:
        assert f'href="{IMPRINT.public_url}/files/{file.name}"' in showcase.html
        assert f"{IMPRINT.public_url}/files/{file.name}" in showcase.text
    lines = names["seminario.ics"].content.decode().split("\r\n")
    assert "DTSTART:20261210T140000Z" in lines
    assert "DTEND:20261210T173000Z" in lines
    assert "LOCATION:Casa del Alabado\\, Quito" in lines
    assert max(len(line.encode()) for line in lines) <= 75
    assert "DTEND;VALUE=DATE:20261219" in names["semana.ics"].content.decode()


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ("date=mañana", "is none; write year, month and day"),
        ("date=2026-12-32", "there is no day 2026-12-32; look it up"),
        ("time=09:00", "needs its day"),
        ("date=2026-12-04 time=25:00", "is none; write it as"),
        ('date="2026-12-06/2026-12-04"', "before the beginning"),
        ('date=2026-12-04 time="12:00-09:00"', "before the beginning"),
        ('date="2026-12-01/2026-12-02/2026-12-03"', "two ends"),
    ],
)
def test_a_date_that_is_none_is_told(compose_text, attributes, told):
    """The sentence says how to write it."""
    with pytest.raises(AuthorError, match=told):
        compose_text(f"### A\n{{{attributes}}}\n\nTexto")


@pytest.mark.parametrize("address", ["files/none.pdf", "files/../issue.md", "files/../../../../etc/passwd"])
def test_a_document_that_is_not_in_the_folder_is_refused(compose_text, address):
    """Nothing from elsewhere is published by mistake."""
    with pytest.raises(AuthorError, match="there is no file"):
        compose_text(f"### A\n\n[Abrir]({address})")


def test_buttons_are_whole_in_outlook(showcase):
    """Each button has a VML twin in a conditional that survived inlining, with the same address and label."""
    twins = re.findall(
        r'<!--\[if mso\]><v:roundrect[^>]* href="([^"]+)".*?>([^<]+)</center></v:roundrect><!\[endif\]-->',
        showcase.html,
    )
    buttons = re.findall(
        r'<!--\[if !mso\]><!--><a class="ba" href="([^"]+)"[^>]*>([^<]+)</a><!--<!\[endif\]-->', showcase.html
    )
    assert len(buttons) == 3
    assert twins == buttons


def test_screen_readers_find_their_way(showcase):
    """Tables are for layout but for those of the text, the parts of the page are named, no heading skips a level."""
    tables = re.findall(r"<table[^>]*>", showcase.html)
    assert {'role="presentation"' in table for table in tables if 'class="dt"' not in table} == {True}
    assert 'scope="col"' in showcase.html
    assert {"article", "banner", "navigation", "contentinfo"} <= set(re.findall(r'role="(\w+)"', showcase.html))
    levels = [int(level) for level in re.findall(r"<h(\d)", showcase.html)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
