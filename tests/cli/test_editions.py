"""`mailer render` writes what would be sent, to look at."""

import json
import re
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from mailer.cli.commands import run
from tests.pictures import keep_pictures_of

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def config(tmp_path, monkeypatch):
    """The project's own set-up, with everything that is written kept in a temporary folder."""
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    for key in ("issues", "templates"):
        text = text.replace(f'{key} = "{key}"', f'{key} = "{ROOT / key}"')
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    keep_pictures_of(tmp_path)
    monkeypatch.delenv("MAILER_CONFIG", raising=False)
    return tmp_path / "config.toml"


def test_render_writes_an_edition_that_opens_offline(config, capfdbinary):
    """HTML, text, MJML and message are written; the HTML's pictures lie beside it and no slot is left open."""
    out = config.parent / "out"
    given = ["--config", str(config), "render", "2022-11", "--segment", "gads", "--out", str(out), "--json"]
    assert run(given) == 0
    report = json.loads(capfdbinary.readouterr().out)
    assert set(report) == {"issue", "content_hash", "editions"}
    (edition,) = report["editions"]
    assert (edition["language"], edition["segment"]) == ("es", "gads")
    assert edition["html_bytes"] < 95_000
    html = Path(edition["files"]["html"]).read_text(encoding="utf-8")
    assert "@@" not in html
    sources = re.findall(r'src="([^"]+)"', html)
    assert sources
    assert all((out / source).is_file() for source in sources)
    message = message_from_bytes(Path(edition["files"]["eml"]).read_bytes(), policy=policy.default)
    assert message.get_content_type() == "multipart/alternative"
    assert not message.defects
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Subject"] == edition["subject"]
    assert sorted(path.name for path in out.glob("2022-11.*")) == [
        f"2022-11.es.gads.{suffix}" for suffix in ("eml", "html", "mjml", "txt")
    ]


@pytest.mark.parametrize("promised", [True, False])
def test_with_pdf_an_edition_leads_to_its_own(config, promised):
    """Where `[content] pdf` is on HTML and text link to the issue as PDF, in the edition's language; else neither."""
    text = config.read_text(encoding="utf-8").replace("pdf = true", f"pdf = {str(promised).lower()}")
    config.write_text(text, encoding="utf-8")
    out = config.parent / "out"
    assert run(["--config", str(config), "render", "2022-11", "--segment", "gads", "--out", str(out)]) == 0
    for suffix in ("html", "txt"):
        written = (out / f"2022-11.es.gads.{suffix}").read_text(encoding="utf-8")
        assert ("/brief/2022-11/2022-11.es.pdf" in written) is promised


def test_render_loads_only_what_renders(config):
    """To look at an issue nothing is loaded that sends, signs, stores, logs, spells or asks the web."""
    away = {
        "aiosmtplib",
        "asyncio",
        "cryptography",
        "email_validator",
        "httpx",
        "lark",
        "spylls",
        "sqlalchemy",
        "structlog",
    }
    code = "import sys; from mailer.cli.commands import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    given = ["--config", str(config), "render", "2022-11", "--segment", "gads", "--out", str(config.parent / "out")]
    done = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, check=True, timeout=200)
    assert "content hash" in done.stdout
    assert {name.partition(".")[0] for name in done.stderr.split()} & away == set()


def test_render_refuses_a_segment_it_does_not_know(config, capfd):
    """The sentence names the segments there are."""
    assert run(["--config", str(config), "render", "2022-11", "--segment", "gad"]) == 1
    assert "diplomats, gads, partners" in capfd.readouterr().err


def test_render_names_issues_that_exist(config, capfd):
    """An issue that isn't there is one sentence and status 1."""
    assert run(["--config", str(config), "render", "1999-01"]) == 1
    assert "1999-01" in capfd.readouterr().err


def test_the_page_of_components_shows_each_with_its_markdown(config, capfd):
    """One file that opens offline: every section drawn, and how it is written."""
    out = config.parent / "out"
    assert run(["--config", str(config), "render", "--components", "--out", str(out)]) == 0
    page = (out / "components.html").read_text(encoding="utf-8")
    assert page.count("<section") > 10
    assert "{layout=events id=agenda}" in page
    assert "data:image/png;base64," in page
    assert "src=&#34;images/" not in page


def test_render_asks_for_an_issue(config, capfd):
    """Without an issue and without --components the usage is wrong."""
    assert run(["--config", str(config), "render"]) == 2


def test_embedded_pictures_and_another_theme_are_a_matter_of_config(config, capfd):
    """The message carries its pictures, and the other city's colours stand in the HTML."""
    text = config.read_text(encoding="utf-8").replace('images = "hosted"', 'images = "embedded"')
    theme = f'[content]\ntheme = "{(ROOT / "templates/themes/puerto.toml").as_posix()}"'
    config.write_text(text.replace("[content]", theme), encoding="utf-8")
    out = config.parent / "out"
    assert run(["--config", str(config), "render", "2022-11", "--segment", "gads", "--out", str(out)]) == 0
    message = message_from_bytes((out / "2022-11.es.gads.eml").read_bytes(), policy=policy.default)
    pictures = [part for part in message.walk() if part.get_content_maintype() == "image"]
    assert len(pictures) == 11
    html = message.get_body(("html",)).get_content()
    assert all(f'src="cid:{part["Content-ID"][1:-1]}"' in html for part in pictures)
    assert "#0F5257" in html
