"""`mailer new` and `mailer check` on the command line."""

import json
import shutil
from pathlib import Path

import pytest

from mailer.cli.commands import run

ROOT = Path(__file__).parents[2]
GOOD = (
    "---\ntitle: Boletín\nmonth: 2026-12\nnumber: 12\nsubject: Un asunto que tiene el largo que debe tener\n"
    "preheader: Una frase que acompaña al asunto en la bandeja de entrada.\n---\n### Título\n\nUn texto.\n"
)


@pytest.fixture
def config(tmp_path):
    """The sample config and the templates in a folder of their own, without issues."""
    shutil.copytree(ROOT / "templates" / "brief", tmp_path / "templates" / "brief")
    path = tmp_path / "config.toml"
    path.write_text((ROOT / "config.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return str(path)


def test_new_begins_an_issue_that_check_sends_back(config, tmp_path, capsys):
    """A skeleton that nobody has filled in can't go out: exit 1, errors as JSON, nothing else on standard output."""
    assert run(["--config", config, "new", "2026-12"]) == 0
    capsys.readouterr()
    assert run(["--config", config, "check", "2026-12", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"issue", "errors", "warnings"}
    assert {error["code"] for error in report["errors"]} == {"placeholder"}
    assert set(report["errors"][0]) == {"code", "where", "message"}


def test_check_says_that_nothing_blocks(config, tmp_path, capsys):
    """A sound issue gives exit 0 and says so."""
    folder = tmp_path / "issues" / "2026-12"
    folder.mkdir(parents=True)
    (folder / "issue.md").write_text(GOOD, encoding="utf-8")
    assert run(["--config", config, "check", "2026-12"]) == 0
    assert "0 errors" in capsys.readouterr().out


def test_an_issue_that_cannot_be_read_is_an_error_of_the_report(config, tmp_path, capsys):
    """A missing picture is told like every other error, with file and line."""
    folder = tmp_path / "issues" / "2026-12"
    folder.mkdir(parents=True)
    (folder / "issue.md").write_text(GOOD + "\n![Una foto](images/foto.jpg)\n", encoding="utf-8")
    assert run(["--config", config, "check", "2026-12", "--json"]) == 1
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert error["where"] == "issues/2026-12/issue.md:12"
    assert 'no picture "images/foto.jpg"' in error["message"]


def test_a_missing_issue_is_one_sentence(config, capsys):
    """An issue that isn't there is one sentence on standard error, exit 1."""
    assert run(["--config", config, "check", "2027-01"]) == 1
    assert "`mailer new 2027-01` begins one" in capsys.readouterr().err
