"""Everything that readers are told exists in every language."""

from pathlib import Path

from babel.messages.pofile import read_po

from mailer.catalogues import faults, sentences, write_template
from mailer.cli.commands import run

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates"


def test_every_sentence_is_translated():
    """No sentence of templates or code lacks its English, or loses a name in braces there."""
    assert faults(TEMPLATES) == []


def test_sentences_of_templates_and_code_are_found(tmp_path):
    """The e-mail's furniture, the pages and what code says are all there, and go into a catalogue."""
    found = sentences(TEMPLATES)
    assert {"Darme de baja", "N.º {number}", "PRUEBA", "Fe de erratas", "Añadir al calendario"} <= set(found)
    write_template(found, tmp_path / "mailer.pot")
    with (tmp_path / "mailer.pot").open("rb") as file:
        assert {entry.id for entry in read_po(file) if entry.id} == set(found)


def test_a_missing_translation_is_told(tmp_path, capfd):
    """`mailer i18n check` names the sentence and ends with status 1; with nothing missing it says so."""
    (tmp_path / "brief").mkdir()
    (tmp_path / "brief" / "a.mjml").write_text('<mj-text>{{ _("Esto no lo dice nadie") }}</mj-text>', encoding="utf-8")
    assert [(each.language, each.text) for each in faults(tmp_path)] == [("en", "Esto no lo dice nadie")]
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    config = tmp_path / "config.toml"
    config.write_text(text.replace('templates = "templates"', 'templates = "."'), encoding="utf-8")
    assert run(["--config", str(config), "i18n", "check"]) == 1
    assert '"Esto no lo dice nadie" is not translated' in capfd.readouterr().out
