"""Reading an issue: the format as an officer writes it, and every mistake with its line."""

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import AuthorError
from mailer.issues import locate, read, translations
from mailer.issues.skeleton import begin
from mailer.issues.source import Source
from mailer.issues.structure import read_sections

README = Path(__file__).parents[2] / "issues" / "README.md"
FRONT = "---\ntitle: Brief\nmonth: 2026-12\nnumber: 12\nsubject: Asunto\npreheader: Más\n---\n"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "issues" / "2026-12"
    (made / "images").mkdir(parents=True)
    (made / "images" / "foto.jpg").write_bytes(b"x")
    return made


def write(folder, body="", front=FRONT, name="issue.md"):
    (folder / name).write_text(front + body, encoding="utf-8")
    return folder


def test_the_example_of_the_readme_is_an_issue(folder):
    """What the documentation shows is read as it says."""
    example = re.search(r"```markdown\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (folder / "images" / "red.svg").write_text("<svg/>", encoding="utf-8")
    (folder / "issue.md").write_text(example[1], encoding="utf-8")
    issue = read(folder)
    assert [section.title for section in issue.sections] == ["", "Visitas del mes"]
    lead, circus, workshop = issue.articles
    assert (lead.layout, lead.sdgs, lead.button.url) == ("lead", (17,), "#")
    assert (circus.place, circus.tag, circus.sdgs) == ("Cuenca, Ecuador", "presencial", (3, 10))
    assert workshop.is_for("gads")
    assert not workshop.is_for("diplomats")
    assert issue.sections[1].intro.startswith("El texto entre")


def test_a_new_issue_can_be_read_and_is_not_overwritten(tmp_path):
    """The skeleton is itself an issue, and begins only once."""
    path = begin(tmp_path / "issues", "2026-12")
    assert read(path.parent).articles[0].layout == "lead"
    with pytest.raises(AuthorError, match="is there already"):
        begin(tmp_path / "issues", "2026-12")
    with pytest.raises(AuthorError, match="called by its month"):
        begin(tmp_path / "issues", "../2026-12")


def test_everything_keeps_its_line(folder):
    """Titles, pictures, buttons and bodies know where they were written, comments or not."""
    body = "<!-- a\nb -->\n### Uno\n{id=uno}\n\n![alt](images/foto.jpg)\n\nTexto\n\n[Leer](https://a.example)\n"
    article = read(write(folder, body)).articles[0]
    assert (article.line, article.picture.line, article.body_line, article.button.line) == (10, 13, 15, 17)
    assert article.body == "Texto"


def test_bom_and_crlf_are_tolerated(folder):
    """Windows editors write a byte-order mark and CRLF; the issue is the same."""
    text = FRONT + "### Uno\n\nTexto\n"
    (folder / "issue.md").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read(folder).articles[0].body == "Texto"


def test_curly_quotation_marks_are_understood_in_attributes(folder):
    """Word processors turn quotation marks; the attributes are read all the same."""
    assert read(write(folder, "### Uno\n{place=“Quito, Ecuador”}\n\nTexto\n")).articles[0].place == "Quito, Ecuador"


def test_headings_may_be_indented_and_closed(folder):
    """Spaces before a heading and marks behind it change nothing."""
    issue = read(write(folder, "  ## A ##\n\n   ### B\n\nTexto\n"))
    assert (issue.sections[0].title, issue.articles[0].title) == ("A", "B")


def test_a_link_inside_a_wrapped_sentence_stays_there(folder):
    """A link with text above and below is part of its sentence, not a button."""
    article = read(write(folder, "### Uno\n\nVer\n[esto](https://a.example)\ny más.\n")).articles[0]
    assert article.button is None
    assert "[esto]" in article.body


def test_equal_titles_get_different_ids(folder):
    """Each heading has an address of its own; those given by the author go first."""
    issue = read(write(folder, "### Uno\n\na\n\n### Uno\n\nb\n\n### Dos\n{id=uno}\n\nc\n"))
    assert [article.id for article in issue.articles] == ["uno-2", "uno-3", "uno"]


BODIES = [
    ("# Uno\n", 8, "stands in the front matter"),
    ("#### Uno\n", 8, "headings end at ###"),
    ("##Uno\n", 8, "a space"),
    ("## \n", 8, "heading is empty"),
    ("### Uno {id=x}\n", 8, "line of their own"),
    ("### Uno\n{layuot=lead}\n", 9, 'did you mean "layout"'),
    ("### Uno\n{layout=leed}\n", 9, 'no layout "leed"'),
    ("### Uno\n{layout=lead\n", 9, "not closed"),
    ("### Uno\n{sdgs=18}\n", 9, "from 1 to 17"),
    ("### Uno\n{sdgs=¹}\n", 9, "from 1 to 17"),
    ('### Uno\n{tag="a b}\n', 9, "can't be read"),
    ("### Uno\n{tag=a tag=b}\n", 9, "twice"),
    ('### Uno\n{tag=""}\n', 9, "is empty"),
    ("### Uno\n\nTexto\n{tag=a}\n", 11, "directly below"),
    ("## Uno\n{tag=a}\n", 9, "belongs to an article"),
    ("### Uno\n{id=a}\n### Dos\n{id=a}\n", 11, "taken"),
    ("### Uno\n{id=Él}\n", 9, "can't stand in an address"),
    ("### Uno\n![](images/foto.jpg)\n", 9, "no alt text"),
    ("### Uno\n![a](images/foto.jpeg)\n", 9, 'did you mean "images/foto.jpg"'),
    ("### Uno\n![a](../foto.jpg)\n", 9, "does not lie in"),
    ("### Uno\n![a](/etc/passwd)\n", 9, "does not lie in"),
    ("### Uno\n![a](https://a.example/x.jpg)\n", 9, "does not lie in"),
    ("### Uno\n![a](images/foto.jpg)\n\n![b](images/foto.jpg)\n", 11, "on line 9 already"),
    ("### Uno\nTexto ![a](images/foto.jpg) más\n", 9, "alone on its line"),
    ("## Uno\n![a](images/foto.jpg)\n", 9, "belongs to an article"),
    ("### Uno\n[a](https://a.example)\n\n[b](https://b.example)\n", 11, "button on line 9"),
    ("### Uno\n\n[a](javascript:x)\n", 10, "can't lead to"),
    ("### Uno\n<!-- sin fin\n", 9, "not closed"),
    ("### Uno\n\x07\n", 9, "control character"),
]


@pytest.mark.parametrize(("body", "line", "words"), BODIES)
def test_a_mistake_names_its_line_and_the_mend(folder, body, line, words):
    """Every mistake in the content is one sentence with file and line."""
    with pytest.raises(AuthorError) as told:
        read(write(folder, body))
    assert told.value.where == f"issues/2026-12/issue.md:{line}"
    assert words in told.value.message


FRONTS = [
    ("", 1, "must begin with its front matter"),
    ("---\ntitle: x\n", 1, "not closed"),
    (FRONT.replace("title", "tilte"), 2, 'did you mean "title"'),
    (FRONT.replace("subject: Asunto\n", ""), 1, "lacks the subject"),
    (FRONT.replace("Asunto", ""), 5, "lacks the subject"),
    (FRONT.replace("2026-12", "2026-11"), 3, "folder is called 2026-12"),
    (FRONT.replace("2026-12", "diciembre"), 3, "year and month"),
    (FRONT.replace("12\nsubject", "doce\nsubject"), 4, "whole number"),
    (FRONT.replace("Asunto", "Quito: reúne"), 5, "quotation marks"),
    (FRONT.replace("Asunto", "\t'a"), 5, "tab"),
    (FRONT.replace("Asunto", "{a: b}"), 5, "one text"),
    (FRONT.replace("Asunto", '"\\ud800"'), 5, "can't be shown"),
    (FRONT.replace("subject: Asunto", "? [a]\n: b"), 5, "key: value"),
    (FRONT.replace("preheader: Más", "preheader: Más\ntitle: otro"), 7, "second time"),
    (FRONT.replace("preheader: Más", "preheader: Más\nsdgs: 0"), 7, "from 1 to 17"),
    (FRONT.replace("preheader: Más", "preheader: Más\nlanguage: español"), 7, "two letters"),
]


@pytest.mark.parametrize(("front", "line", "words"), FRONTS)
def test_a_mistake_in_the_front_matter_names_its_line(folder, front, line, words):
    """Every mistake in the front matter is one sentence with file and line."""
    with pytest.raises(AuthorError) as told:
        read(write(folder, "### Uno\n\nTexto\n", front))
    assert told.value.where == f"issues/2026-12/issue.md:{line}"
    assert words in told.value.message


def test_other_encodings_are_refused_with_the_line(folder):
    """A file that isn't UTF-8 is not guessed at."""
    (folder / "issue.md").write_bytes((FRONT + "### Qué\n").encode("cp1252"))
    with pytest.raises(AuthorError, match=r"issue\.md:6: .*UTF-8"):
        read(folder)


def test_a_picture_behind_a_symlink_that_leads_out_is_refused(folder, tmp_path):
    """A link in the folder can't smuggle a file of the machine into a mail."""
    (tmp_path / "secret.png").write_bytes(b"x")
    (folder / "images" / "a.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(AuthorError, match="leads out"):
        read(write(folder, "### Uno\n![a](images/a.png)\n"))


def test_translations_stand_beside_the_first_language(folder):
    """`issue.en.md` is the English of the issue; a language without a file is refused."""
    write(folder, "### Uno\n\nTexto\n")
    write(folder, "### One\n\nText\n", name="issue.en.md")
    assert translations(folder) == ("en",)
    assert read(folder, "en").articles[0].title == "One"
    assert read(folder, "es").articles[0].title == "Uno"
    with pytest.raises(AuthorError, match=r"issue\.fr\.md is missing"):
        read(folder, "fr")


def test_a_missing_issue_says_which_there_are(folder):
    """The sentence names the issues that exist and how to begin one."""
    with pytest.raises(AuthorError, match="there is 2026-12; `mailer new 2027-01` begins one"):
        locate(folder.parent, "2027-01")
    with pytest.raises(AuthorError, match="there is no issue"):
        locate(folder.parent, "../issues/2026-12")


@given(st.text(alphabet=st.sampled_from('#{}=![]()<>-"\n\t ab*~1.'), max_size=120))
def test_whatever_is_typed_is_read_or_refused(text):
    """No text below the front matter crashes the reader."""
    with contextlib.suppress(AuthorError):
        read_sections(Source(text, "issues/2026-12/issue.md"), 0, Path("/nowhere/2026-12"))


def test_every_mistake_is_told_at_once(folder):
    """Reading goes on behind a mistake: an author hears of all of them, and the rest of the issue is there."""
    front = (
        FRONT.replace("subject", "asunto").replace("12\n", "doce\n", 2).replace("month: 2026-doce", "month: 2026-12")
    )
    body = (
        "# Brief\n\n### Uno\n{ods=3 layout=cards sdgs=18 label=A}\n\n![](images/foto.jpg)\n\n![a](images/no.jpg)\n\n"
        "Texto\n\n#### Más\n\n##Dos\n{tag=x}\n\n### Tres\n{date=2026-02-30 place=Loja}\n\nTexto\n"
    )
    faults: list[AuthorError] = []
    issue = read(write(folder, body, front), faults=faults)
    assert [int(fault.where.rpartition(":")[2]) for fault in faults] == [5, 1, 4, 8, 11, 11, 11, 13, 15, 19, 21, 22, 25]
    one, three = issue.articles
    assert (one.label, one.picture.path, one.layout) == ("A", "images/foto.jpg", "")
    assert (issue.sections[1].title, three.place, three.when) == ("Dos", "Loja", None)
    with pytest.raises(AuthorError, match="the first of 13 faults"):
        read(folder)


def test_what_a_word_processor_leaves_is_understood(folder):
    """Curly quotation marks around a value, round bullets, "y" before the last goal."""
    front = FRONT.replace("Asunto", "“Quito recibe a 42 ciudades”") + ""
    issue = read(write(folder, "### Uno\n{sdgs=“6, 3 y 11”}\n\n•\tA\n· B\n", front))
    assert issue.subject == "Quito recibe a 42 ciudades"
    assert issue.articles[0].sdgs == (6, 3, 11)
    assert issue.articles[0].body == "- A\n- B"


def test_a_signature_closes_a_section(folder):
    """Behind cards or documents it stands for itself; a card in between stays one."""
    body = (
        "## Cartas\n{layout=cards}\n\n### A\n{layout=notice}\n\na\n\n### B\n\nb\n\n### Ana\n{layout=signature}\n\nc\n"
    )
    cards, closing = read(write(folder, body)).sections
    assert [article.title for article in cards.articles] == ["A", "B"]
    assert (closing.title, closing.layout, closing.articles[0].layout) == ("", "", "signature")
