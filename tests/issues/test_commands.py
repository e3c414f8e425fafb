"""`mailer new` and `mailer check` on the command line."""

import json
import re
import shutil
from pathlib import Path

import pytest

from mailer.chromium import browser
from mailer.cli.commands import run
from tests.pictures import keep_pictures_of

ROOT = Path(__file__).parents[2]
GOOD = (
    "---\ntitle: Boletín\nmonth: 2026-12\nnumber: 12\nsubject: Un asunto que tiene el largo que debe tener\n"
    "preheader: Una frase que acompaña al asunto en la bandeja de entrada.\n---\n### Título\n\nUn texto.\n"
)


@pytest.fixture(autouse=True)
def machine(request, monkeypatch):
    """A machine without programs, unless a test is marked for the browser: to start one costs more than the rest."""
    if not request.node.get_closest_marker("browser"):
        monkeypatch.setenv("PATH", "")


@pytest.fixture
def config(tmp_path):
    """The sample config and the templates in a folder of their own, without issues."""
    shutil.copytree(ROOT / "templates" / "brief", tmp_path / "templates" / "brief")
    keep_pictures_of(tmp_path)
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
    told = capsys.readouterr().out
    assert "0 errors" in told
    assert (
        "there is no chromium here to print it" in told
    )  # config.toml promises a PDF, and this machine has no programs


def test_an_issue_that_cannot_be_read_is_an_error_of_the_report(config, tmp_path, capsys):
    """A missing picture is told like every other error, with file and line."""
    folder = tmp_path / "issues" / "2026-12"
    folder.mkdir(parents=True)
    (folder / "issue.md").write_text(GOOD + "\n![Una foto](images/foto.jpg)\n", encoding="utf-8")
    assert run(["--config", config, "check", "2026-12", "--json"]) == 1
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert error["where"] == "issues/2026-12/issue.md:12"
    assert 'no picture "images/foto.jpg"' in error["message"]


def test_what_cannot_be_used_keeps_nothing_else_from_being_judged(config, tmp_path, capsys):
    """A broken picture, a missing document and a wrong attribute are told beside what the other rules find."""
    folder = tmp_path / "issues" / "2026-12"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "rota.jpg").write_bytes(b"no picture")
    body = "\n### Dos\n{ods=3}\n\n![Una foto](images/rota.jpg)\n\n<b>Un</b> texto\n\n[Bajar](files/no.pdf)\n"
    (folder / "issue.md").write_text(GOOD + body, encoding="utf-8")
    assert run(["--config", config, "check", "2026-12", "--json"]) == 1
    errors = json.loads(capsys.readouterr().out)["errors"]
    told = [(int(error["where"].rpartition(":")[2]), error["code"]) for error in errors]
    assert told == [(13, "unreadable"), (15, "unreadable"), (17, "typed-html"), (19, "unreadable")]


def test_a_missing_issue_is_one_sentence(config, capsys):
    """An issue that isn't there is one sentence on standard error, exit 1."""
    assert run(["--config", config, "check", "2027-01"]) == 1
    assert "`mailer new 2027-01` begins one" in capsys.readouterr().err


@pytest.fixture
def issue(tmp_path):
    """An issue with one error, one warning, and a comma where GitHub would stumble over it."""
    folder = tmp_path / "issues" / "2026-12"
    folder.mkdir(parents=True)
    text = GOOD + "\n### Otro\n{segments=gad}\n\nDijo , y el 50 % calló.\n"
    (folder / "issue.md").write_text(text, encoding="utf-8")
    return folder


def test_a_dictionary_in_another_encoding_is_one_sentence(config, issue, capsys):
    """The office's words, saved by an old editor, are told with file and line."""
    (issue.parent / "dictionary.txt").write_bytes("Nayón\nPuéllaro\n".encode("cp1252"))
    assert run(["--config", config, "check", "2026-12"]) == 1
    assert "dictionary.txt:1: the word is not UTF-8; save the file as UTF-8" in capsys.readouterr().err


def test_json_by_either_option_is_the_same_document(config, issue, capsys):
    """`--json` and `--format json` agree."""
    assert run(["--config", config, "check", "2026-12", "--json"]) == 1
    first = capsys.readouterr().out
    assert run(["--config", config, "check", "2026-12", "--format", "json"]) == 1
    assert json.loads(first) == json.loads(capsys.readouterr().out)


def test_github_gets_a_command_a_finding(config, issue, capsys):
    """Every line is a workflow command with file and line; errors first."""
    assert run(["--config", config, "check", "2026-12", "--format", "github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("::error file=issues/2026-12/issue.md,line=12,title=segment::")
    assert all(line.startswith(("::error file=", "::warning file=")) for line in lines)


def test_an_unknown_format_is_wrong_usage(config, issue, capsys):
    """Exit 2."""
    assert run(["--config", config, "check", "2026-12", "--format", "xml"]) == 2


def test_the_report_stands_alone(config, issue, tmp_path, capsys):
    """One file, escaped, with every finding, asking nothing of the network; without a browser it says so."""
    text = (issue / "issue.md").read_text(encoding="utf-8").replace("### Otro", "### Otro <q>&")
    (issue / "issue.md").write_text(text, encoding="utf-8")
    target = tmp_path / "out" / "report.html"
    assert run(["--config", config, "check", "2026-12", "--report", str(target)]) == 1
    page = target.read_text(encoding="utf-8")
    assert "Otro &lt;q&gt;&amp;" in page
    assert "no chromium is installed" in page
    assert page.count('<li class="error">') == 1
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)


def test_a_report_of_an_unreadable_issue_still_tells_why(config, issue, tmp_path, capsys):
    """There is nothing to draw, but the error stands in it."""
    (issue / "issue.md").write_text(GOOD + "\n![x](images/none.png)\n", encoding="utf-8")
    assert run(["--config", config, "check", "2026-12", "--report", str(tmp_path / "r.html")]) == 1
    assert "none.png" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.browser
@pytest.mark.skipif(browser() is None, reason="chromium is not installed")
def test_the_report_shows_thumbnails(config, tmp_path, capsys):
    """With a browser there, the page holds the issue as it looks on a desktop, a phone and in the dark."""
    folder = tmp_path / "issues" / "2026-12"
    folder.mkdir(parents=True)
    (folder / "issue.md").write_text(GOOD, encoding="utf-8")
    assert run(["--config", config, "check", "2026-12", "--report", str(tmp_path / "r.html")]) == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 3
