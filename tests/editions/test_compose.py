"""An issue becomes editions: complete, the same everywhere, and made without looking outside."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from mailer.editions.compose import compose
from mailer.editions.edition import SLOT, SLOTS
from mailer.errors import AuthorError
from mailer.issues import read
from mailer.issues.issue import ARTICLE_LAYOUTS, SECTION_LAYOUTS
from mailer.issues.translation import completed
from tests.editions.november import IMPRINT, ROOT, SEGMENTS, TEMPLATES

GOLDEN = ROOT / "tests" / "golden"


class _Reader(HTMLParser):
    """What a reader sees: the text between the tags of the body."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.feed(html[html.index("<body") :])

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def seen(html: str) -> str:
    return squeezed("".join(_Reader(html).texts))


def seed_sentences() -> list[str]:
    text = (GOLDEN / "seed-2022-11.txt").read_text(encoding="utf-8").replace("[Leer más](#)", "Leer más")
    blocks = (squeezed(block) for block in re.split(r"\n\s*\n", text))
    return [sentence for block in blocks if block for sentence in re.split(r"(?<=[a-z)]\.)\s(?=[A-ZÁÉÍÓÚ])", block)]


def test_every_sentence_of_the_source_stands_in_the_html(edition):
    """Nothing of what the office wrote is lost or altered in the HTML, capitals and typos included."""
    shown = seen(edition.html)
    assert [sentence for sentence in seed_sentences() if sentence not in shown] == []


def test_every_sentence_of_the_source_stands_in_the_text(edition):
    """Nothing of what the office wrote is lost or altered in the text part."""
    shown = squeezed(edition.text)
    assert [sentence for sentence in seed_sentences() if sentence not in shown] == []


def test_html_stays_below_what_gmail_cuts(compiled):
    """The November issue leaves Gmail's limit a wide berth."""
    assert max(len(edition.html.encode()) for edition in compiled.editions) < 80_000


def test_html_has_no_trailing_whitespace_nor_empty_lines(edition):
    """No line of the HTML ends in white space, and none is empty."""
    assert all(line and line == line.strip() for line in edition.html.splitlines())
    assert all(line == line.rstrip() for line in edition.text.splitlines())


def test_the_same_input_gives_the_same_bytes(november, compiled, picture):
    """Compiling again gives the same editions and the same hash."""
    again = compose([november], SEGMENTS, imprint=IMPRINT, templates=TEMPLATES, picture=picture)
    assert again == compiled


@pytest.mark.parametrize("change", [{"subject": "Otro"}, {"preheader": "Otra"}, {"tagline": "Otro"}, {"sdgs": (1,)}])
def test_every_change_of_content_changes_the_hash(november, compiled, picture, change):
    """The hash covers whatever can change a byte of a message."""
    changed = msgspec.structs.replace(november, **change)
    other = compose([changed], SEGMENTS, imprint=IMPRINT, templates=TEMPLATES, picture=picture)
    assert other.content_hash != compiled.content_hash


def test_hash_covers_the_bytes_of_pictures(november, compiled, picture):
    """A picture of other bytes under the same name is another edition."""

    def other_picture(path: Path, width: int):
        return msgspec.structs.replace(picture(path, width), content=b"other")

    other = compose([november], SEGMENTS, imprint=IMPRINT, templates=TEMPLATES, picture=other_picture)
    assert other.content_hash != compiled.content_hash


def test_slots_are_those_that_messages_fill(edition):
    """Only known slots stand open, and a way out stands in both parts."""
    for part in (edition.html, edition.text):
        assert {"greeting", "unsubscribe_url", "preferences_url", "web_url"} <= set(SLOT.findall(part)) <= SLOTS


def test_unknown_slot_in_the_content_is_refused(compose_text):
    """What nobody would fill must not go out."""
    with pytest.raises(AuthorError, match="@@nombre@@ is no slot"):
        compose_text("### A\n\nHola @@nombre@@")


def test_article_for_one_segment_reaches_no_other(compose_text):
    """`segments` keeps an article from all other readers, in HTML, text and table of contents."""
    compiled = compose_text("### A\n\nUno\n\n## S\n\n### Solo\n{segments=gads}\n\nDos\n\n### Todos\n\nTres")
    diplomats, gads = compiled.editions
    assert "Dos" in gads.html
    assert "Dos" in gads.text
    assert "Solo" not in diplomats.html + diplomats.text
    assert "Tres" in diplomats.html


def test_the_farewell_is_not_announced(compose_text):
    """The table of contents names what there is to read, not who signs."""
    html = (
        compose_text("### A\n\nUno\n\n## S\n\n### Dos\n\nB\n\n## Fin\n\n### Ana\n{layout=signature}\n\nG")
        .editions[0]
        .html
    )
    assert 'href="#dos"' in html
    assert 'href="#ana"' not in html


def test_section_without_articles_left_is_left_out(compose_text):
    """A section whose articles are all for others is left out with its heading."""
    compiled = compose_text("### A\n\nUno\n\n## Vacía\n\n### Solo\n{segments=gads}\n\nDos")
    assert "Vacía" not in compiled.editions[0].html + compiled.editions[0].text


def test_button_to_nowhere_leads_to_the_web_edition(edition):
    """`[Leer más](#)` opens the article's own place."""
    assert 'href="https://brief.quito.example/brief/2022-11/#asamblea"' in edition.html
    assert "https://brief.quito.example/brief/2022-11/#asamblea" in edition.text


@pytest.mark.parametrize("nasty", ['"Quito" <b onload=x> & más', "a\" onclick='x' \\", "{{ 7 * 7 }} {% raw %}"])
def test_content_is_never_markup(compose_text, nasty):
    """Quotation marks, tags and template syntax in titles, subject and alt text are shown, not obeyed."""
    subject = "subject: '" + nasty.replace("'", "''") + "'"
    html = compose_text(f"### {nasty}\n{{id=a}}\n\nTexto", subject).editions[0].html
    start = html.index("<h2")
    assert squeezed(nasty) in seen(html[: html.index("<body")] + "<body>" + html[start:])
    assert not re.search(r"<[^>]*\son(load|click)=", re.sub(r'"[^"]*"', '""', html))


@pytest.mark.parametrize("layout", ["", *ARTICLE_LAYOUTS])
@pytest.mark.parametrize("section", ["", *SECTION_LAYOUTS])
def test_every_layout_is_drawn(compose_text, section, layout):
    """Whatever an author may ask for has a template, with and without what may stand beside the text."""
    given = f"layout={section}" if section else ""
    wanted = f"layout={layout}" if layout else ""
    body = (
        f"## Sección\n{{{given} label=Rótulo figure=77 sdgs=4}}\n\nIntro\n\n"
        f"### Uno\n{{{wanted} label=Aviso place=Lima tag=virtual figure=88 sdgs=15}}\n\nTexto\n\n"
        "[Ir](https://a.example/?a=1&b=2)\n\n### Dos\n\n* x\n* y"
    )
    edition = compose_text(body).editions[0]
    for word in [
        "Sección",
        "Rótulo",
        "77",
        "4",
        "Intro",
        "Uno",
        "Aviso",
        "Lima",
        "virtual",
        "88",
        "15",
        "Texto",
        "Ir",
        "Dos",
        "x",
        "y",
    ]:
        assert re.search(rf"\b{word}\b", seen(edition.html)), f"{word} is not in the HTML"
        assert re.search(rf"\b{word}\b", edition.text), f"{word} is not in the text"
    assert "https://a.example/?a=1&amp;b=2" in edition.html


def test_rendering_opens_no_socket_and_nothing_outside():
    """Compiling touches the project's folders and Python's own, and no network."""
    script = Path(__file__).with_name("watched_render.py")
    found = subprocess.run(
        [sys.executable, "-X", "utf8", str(script), str(ROOT)], capture_output=True, text=True, timeout=200, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("suffix", ["html", "txt", "mjml"])
def test_golden(edition, update_golden, suffix):
    """The November edition is, but for the pictures' names, what was looked at and found good."""
    content = {"html": edition.html, "txt": edition.text, "mjml": edition.mjml}[suffix]
    content = re.sub(r"images/[0-9a-f]+\.", "images/picture.", content)
    path = GOLDEN / f"2022-11.es.diplomats.{suffix}"
    if update_golden:
        path.write_text(content, encoding="utf-8")
    assert content == path.read_text(encoding="utf-8"), "run make golden and read the diff"


def test_an_article_that_is_not_translated_says_so(compose_text, tmp_path, picture):
    """It stands in the original with a note in the reader's language, and is marked for those who hear it read."""
    compose_text("### Uno\n{id=uno}\n\nPrimero")
    folder = tmp_path / "issues" / "2026-12"
    original = read(folder)
    english = completed(msgspec.structs.replace(original, language="en", sections=()), original)
    edition = compose([english], SEGMENTS, imprint=IMPRINT, templates=TEMPLATES, picture=picture).editions[0]
    for part in (edition.html, edition.text):
        assert "For now, only in Spanish" in part
        assert "Primero" in part
    assert '<h2 id="uno" lang="es"' in edition.html
    assert '<div lang="es"><p' in edition.html
