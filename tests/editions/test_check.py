"""The preflight: what it finds, and what it lets pass."""

from pathlib import Path

import pytest
from PIL import Image

from mailer.editions.check import check
from mailer.editions.checks.circumstances import Circumstances, Failure
from mailer.editions.checks.hunspell import SYSTEM
from mailer.editions.edition import Compiled, Edition
from mailer.issues import read

ROOT = Path(__file__).parents[2]
NOVEMBER = ROOT / "issues" / "2022-11"
FRONT = (
    "---\ntitle: Boletín\nmonth: 2026-12\nnumber: 12\nsubject: {subject}\n"
    "preheader: Una frase que acompaña al asunto en la bandeja de entrada.\n---\n"
)
spells = pytest.mark.skipif(not (SYSTEM / "es_ES.dic").exists(), reason="hunspell-es is not installed")


def judged(tmp_path, body, subject="Un asunto que tiene el largo que debe tener", **options):
    folder = tmp_path / "issues" / "2026-12"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "issue.md").write_text(FRONT.format(subject=subject) + body, encoding="utf-8")
    compiled = options.pop("compiled", None)
    options = {"segments": ["gads", "diplomats"], "dictionaries": tmp_path} | options
    return check([read(folder)], compiled, Circumstances(**options))


def codes(findings):
    return [finding.code for finding in findings if finding.code != "no-dictionary"]


def test_a_sound_issue_passes(tmp_path):
    """Nothing is said about an issue without faults, but that no dictionary is there."""
    report = judged(tmp_path, "### Título\n{segments=gads}\n\nUn texto. [El programa](https://quito.example/a)\n")
    assert report.errors == ()
    assert [finding.code for finding in report.warnings] == ["no-dictionary"]


ERRORS = [
    ("### Vacío\n", "empty-article"),
    ("## Vacía\n\n### A\n\nTexto.\n\n## Otra\n", "empty-section"),
    ("Solo una introducción.\n", "empty-issue"),
    ("### A\n{segments=gad}\n\nTexto.\n", "segment"),
    ("### A\n\nLorem ipsum dolor.\n", "placeholder"),
    ("### A\n\nEl alcalde XXX dijo.\n", "placeholder"),
    ("### A\n\nTODO: escribir.\n", "placeholder"),
    ("### A\n\nDijo […] ayer.\n", "placeholder"),
    ("### A\n\n| Año | Misiones |\n| --- | --- |\n| 2026 |\n", "table"),
    ("### A\n\nUn cuadro:\n\nAño\tMisiones\n2026\t27\n", "table"),
    ("### A\n\nUn <b>texto</b>.\n", "typed-html"),
    ("### A\n\nUn&nbsp;texto.\n", "typed-html"),
    ("### A\n\nUn texto.[^1]\n", "note"),
    ("### A\n\nUn texto.\n\n[^1]: Perdida.\n", "note"),
    ("### A\n\nHola @@greeting@@.\n", "placeholder"),
    ("### A\n\nUn texto igual.\n\n### B\n\nUn texto  igual.\n", "duplicate"),
    ("### A\n\nVer [esto](informe.pdf) ya.\n", "link-relative"),
    ("### A\n\nVer [esto](www.quito.example) ya.\n", "link-relative"),
    ("### A\n\nVer [esto]() ya.\n", "link-empty"),
    ("### A\n\nVer [esto](http://localhost:8000/) ya.\n", "link-local"),
    ("### A\n\nVer [esto](http://192.168.0.1/) ya.\n", "link-local"),
    ("### A\n\nVer [esto](https://u:p@quito.example/) ya.\n", "link-credentials"),
    ("### A\n\nVer [esto](javascript:alert) ya.\n", "link-relative"),
    ("### A\n\n[Leer más](https://quito.example/mi página.pdf)\n", "link-broken"),
    ("### A\n\nVer [esto](“https://quito.example/”) ya.\n", "link-broken"),
]


@pytest.mark.parametrize(("body", "code"), ERRORS)
def test_what_blocks_a_send(tmp_path, body, code):
    """Each of these must not go out."""
    assert code in codes(judged(tmp_path, body).errors)


WARNINGS = [
    ("### A\n\n[Leer más](#)\n\nTexto.\n", "link-own-page"),
    ("### A\n\nVer [esto](http://quito.example/) ya.\n", "link-insecure"),
    ("### A\n\nVer [esto](https://bit.ly/x) ya.\n", "link-shortener"),
    ("### A\n\nLos los gobiernos.\n", "repeated-word"),
    ("### A\n\nDijo , y calló.\n", "space"),
    ('### A\n\nDijo "hola y calló.\n', "unpaired"),
    ("### A\n\nQué hora es?\n", "unpaired"),
    ("### A\n\nESTE PÁRRAFO ENTERO ESTÁ ESCRITO EN MAYÚSCULAS.\n", "capitals"),
    ("### A\n\nEl 31 de noviembre.\n", "date"),
    ("### A\n\nEl lunes 24 de diciembre de 2026.\n", "date"),
    ("### A\n\nUno.\n\n### A\n\nDos.\n", "duplicate"),
    ("### A\n\nSerá el próximo 21 de noviembre.\n", "date"),
    ("### A\n\nFue el pasado 3 de enero.\n", "date"),
    ("## A\n{layout=events}\n\n### B\n{date=2026-11-30}\n", "date"),
    ("## A\n{layout=cards}\n\n### B\n{layout=quote}\n\nUno.\n\n### C\n\nDos.\n", "layout"),
    ("### A\n\nDijo la Escuela Quiteña.\n\n### ARTE QUITAÑO\n\nTexto.\n", "two-spellings"),
    ("### A\n\nVino Corradi, y luego Coradi habló.\n", "two-spellings"),
    ("### LA PARTICIPACION\n\nTexto.\n", "capital-accent"),
    ("### A\n\nLea [aquí](https://a.example/) más.\n", "accessible-link"),
    ("### A\n\nLea [https://a.example/](https://a.example/) más.\n", "accessible-link"),
    ("### A\n\nVer [el acta](https://a.example/) y [el plan](https://a.example/).\n", "link-other-text"),
    ("### A\n\nVer [el acta](https://a.example/1) y [el acta](https://a.example/2).\n", "link-other-text"),
]


@pytest.mark.parametrize(("body", "code"), WARNINGS)
def test_what_a_person_should_read(tmp_path, body, code):
    """Each of these is told, and blocks nothing."""
    report = judged(tmp_path, body)
    assert code in codes(report.warnings)
    assert report.errors == ()


PASS = [
    "### A\n\n1)\tUno, con 3 < 4 y a<b.\n2)\tDos.\n\n## B\n{layout=events}\n\n### C\n{date=2026-11-30/2026-12-02}\n",
    "### A\n\nSerá el próximo 21 de enero. Fue el pasado 3 y 4 de diciembre.\n",
    "### A\n\nLas autoridades quiteñas y la Escuela Quiteña; los Quiteños.\n",
    "### A\n\nLa casa y la causa; el Alcalde y la Alcaldesa; Cuenca y Cuencas.\n",
    "### A\n\nVer [el acta](https://a.example/) y otra vez [El acta](https://a.example/).\n",
    "### A\n\nUno.\n\n[Leer más](https://a.example/1)\n\n### B\n\nDos.\n\n[Leer más](https://a.example/2)\n",
]


@pytest.mark.parametrize("body", PASS)
def test_what_only_looks_wrong_passes(tmp_path, body):
    """Dates that fit, gender and number, one link called the same twice, buttons of one label."""
    report = judged(tmp_path, body)
    assert codes((*report.errors, *report.warnings)) == []


def test_a_translation_must_name_what_it_translates(tmp_path):
    """An article of an id that the original lacks would stand beside its untranslated twin; the id is told."""
    folder = tmp_path / "issues" / "2026-12"
    folder.mkdir(parents=True)
    front = FRONT.format(subject="Un asunto que tiene el largo que debe tener")
    (folder / "issue.md").write_text(f"{front}### El agua\n\nTexto.\n", encoding="utf-8")
    english = front.replace("number: 12", "number: 12\nlanguage: en")
    (folder / "issue.en.md").write_text(f"{english}### Water\n\nText.\n", encoding="utf-8")
    known = Circumstances(segments=["gads"], dictionaries=tmp_path)
    report = check([read(folder), read(folder, "en")], None, known)
    (told,) = [finding for finding in report.warnings if finding.code == "translation"]
    assert told.where.endswith("issue.en.md:9")
    assert "{id=el-agua}" in told.message


def test_links_are_asked_for_only_when_told(tmp_path):
    """A page that isn't there blocks, a server that doesn't answer is told; buttons are asked too."""
    asked = []

    def ask(urls):
        asked.extend(urls)
        return {"https://a.example/": Failure("gone", certain=True), "https://b.example/": Failure("?", certain=False)}

    body = "### A\n\nVer [el acta](https://a.example/) y [uno](http://10.0.0.1/).\n\n[Leer más](https://b.example/)\n"
    assert "link-dead" not in codes(judged(tmp_path, body).errors)
    report = judged(tmp_path, body, reachable=ask)
    assert sorted(codes(report.errors)) == ["link-dead", "link-local"]
    assert "link-unanswered" in codes(report.warnings)
    assert asked == ["https://a.example/", "https://b.example/"]


def test_pictures_of_odd_shape_are_told(tmp_path):
    """A tall picture and a strip are told; one that a camera laid on its side is judged upright."""
    folder = tmp_path / "issues" / "2026-12" / "images"
    folder.mkdir(parents=True)
    Image.new("RGB", (1300, 2600)).save(folder / "tall.jpg")
    Image.new("RGB", (1300, 100)).save(folder / "strip.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (700, 1300)).save(folder / "turned.jpg", exif=exif)
    body = "".join(f"### {n}\n\n![Una {n}](images/{n}.jpg)\n\nTexto de {n}.\n\n" for n in ("tall", "strip", "turned"))
    report = judged(tmp_path, body)
    assert codes(report.warnings) == ["picture-ratio", "picture-ratio"]
    assert "alt-repeated" in codes(
        judged(tmp_path, body.replace("Una strip", "strip X").replace("### strip", "### strip X")).warnings
    )


def test_the_subject_is_measured_and_its_month_compared(tmp_path):
    """A subject too short, or one of another month, is told with the line it stands on."""
    report = judged(tmp_path, "### A\n\nTexto.\n", subject="Brief de noviembre")
    assert codes(report.warnings) == ["subject-length", "month"]
    assert {finding.where for finding in report.warnings[-2:]} == {"issues/2026-12/issue.md:5"}


def test_all_of_a_capital_heading_is_no_placeholder(tmp_path):
    """In Spanish TODO is a word."""
    assert judged(tmp_path, "### TODO SOBRE EL AGUA\n\nTODO EL MUNDO habló de TODO.\n").errors == ()


def test_html_that_gmail_would_cut_is_an_error_with_shares(tmp_path):
    """Above 95,000 bytes the heaviest articles are named."""
    html = '<html lang="es"><h1>Ligero</h1>' + "x" * 100 + "<h2>Pesado</h2>" + "x" * 96_000
    edition = Edition("2026-12", "es", "gads", "", "", html, "", "")
    body = "### Ligero\n\nUno.\n\n### Pesado\n\nDos.\n"
    report = judged(tmp_path, body, compiled=Compiled("2026-12", "", (edition,)))
    assert codes(report.errors) == ["html-weight"]
    assert 'heaviest: "Pesado" 96,' in report.errors[0].message


@spells
@pytest.mark.skipif(not (NOVEMBER / "images").exists(), reason="the sample issue's pictures are not there")
def test_the_source_s_own_faults_are_found_in_november():
    """The known typos and `#` links are told; nothing blocks; at most five other things are said."""
    report = check([read(NOVEMBER)], None, Circumstances(segments=["diplomats", "gads", "partners"]))
    assert report.errors == ()
    faults = ['"VX"', '"QUITAÑO"', '"Coperación"', '"JAPON"', '"CIUDADANIA"', 'link "#"']
    for fault in faults:
        assert any(fault in finding.message for finding in report.warnings), fault
    others = [f for f in report.warnings if not any(fault in f.message for fault in faults)]
    assert len(others) <= 5, others


@spells
def test_spelling_suggests_and_learns(tmp_path):
    """A wrong word gets its suggestion, a foreign passage one line; names, acronyms, the office's words pass."""
    body = "### CIUDADANIA\n\nEl señor Xutrago leyó en la ICLEI el capítulo XXI de la coperación y el siglo IXX.\n"
    report = judged(tmp_path, body, dictionaries=SYSTEM)
    told = " ".join(finding.message for finding in report.warnings)
    assert '"CIUDADANÍA"' in told
    assert '"cooperación"' in told
    assert '"IXX" is no Roman numeral' in told
    assert len(report.warnings) == 3
    (tmp_path / "own.txt").write_text("# nuestras\nCoperación\nciudadania\n", encoding="utf-8")
    again = judged(tmp_path, body, dictionaries=SYSTEM, office_words=tmp_path / "own.txt")
    assert codes(again.warnings) == ["roman-numeral"]
    english = judged(tmp_path, "### A\n\nThe mayors of twelve cities signed.\n", dictionaries=SYSTEM)
    assert [found.message.partition(";")[0] for found in english.warnings] == [
        'most words here are in no dictionary of "es"'
    ]


@spells
def test_foreign_names_after_a_title_pass(tmp_path):
    """A full stop after a title ends no sentence, and a name is not two swapped letters from a word."""
    body = "### A\n\nS.E. Frédérique Dubois y la Dra. Adriana Wills vinieron con J. Xutragos.\n"
    assert judged(tmp_path, body, dictionaries=SYSTEM).warnings == ()


def test_english_is_spelled_with_an_english_dictionary(tmp_path):
    """A translation is judged in its own language, by en_US where it is there."""
    for name, words in (("en_US", "a\ncity\nsigns\nthe\nagreement\n"), ("en_GB", "x\n")):
        (tmp_path / f"{name}.aff").write_text("SET UTF-8\n", encoding="utf-8")
        (tmp_path / f"{name}.dic").write_text(f"5\n{words}", encoding="utf-8")
    folder = tmp_path / "issues" / "2026-12"
    folder.mkdir(parents=True)
    text = (
        FRONT.format(subject="a").replace("number: 12", "number: 12\nlanguage: en")
        + "### A\n\nThe city sings the agrement.\n"
    )
    (folder / "issue.en.md").write_text(text, encoding="utf-8")
    known = Circumstances(segments=["gads"], dictionaries=tmp_path)
    told = [found.message for found in check([read(folder, "en")], None, known).warnings if found.where.endswith(":11")]
    assert any('"sings"' in message and '"signs"' in message for message in told)
    assert any('"agrement"' in message and '"agreement"' in message for message in told)


def test_what_says_all_without_text_passes(tmp_path):
    """A figure, a date, a photograph with its title, a document need no text; a bare title does, everywhere."""
    body = (
        "## Cifras\n{layout=figures}\n\n### ciudades\n{figure=12}\n\n## Agenda\n{layout=events}\n\n"
        "### Foro\n{date=2026-12-10}\n\n## Documentos\n{layout=documents}\n\n### Guía\n\n[Abrir](https://q.example/g)\n"
    )
    assert judged(tmp_path, body).errors == ()
    assert codes(judged(tmp_path, body + "\n### Nada\n").errors) == ["empty-article"]
    assert codes(judged(tmp_path, "### Solo\n{figure=12}\n").errors) == ["empty-article"]


@spells
def test_a_place_is_a_name(tmp_path):
    """The first word of a place is not judged like the first of a sentence."""
    body = '### A\n{place="Ambato, Ecuador"}\n\nUn texto.\n'
    assert judged(tmp_path, body, dictionaries=SYSTEM).warnings == ()
