"""`mailer proof`: the files to show around."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from mailer.chromium import browser
from mailer.cli.commands import run

ROOT = Path(__file__).parents[2]
TEXT = (
    "---\ntitle: Boletín\nmonth: 2026-12\nnumber: 12\nsubject: Un asunto que tiene el largo que debe tener\n"
    "preheader: Una frase que acompaña al asunto en la bandeja de entrada.\n---\n### Título\n\nUn texto.\n"
)


@pytest.fixture
def config(tmp_path):
    """A publication with one small issue."""
    shutil.copytree(ROOT / "templates" / "brief", tmp_path / "templates" / "brief")
    (tmp_path / "issues" / "2026-12").mkdir(parents=True)
    (tmp_path / "issues" / "2026-12" / "issue.md").write_text(TEXT, encoding="utf-8")
    path = tmp_path / "config.toml"
    path.write_text((ROOT / "config.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return str(path)


def test_without_a_browser_it_says_so_and_writes_the_rest(config, tmp_path, capsys, monkeypatch):
    """HTML and text are there; what is missing is named, in words and in JSON."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    order = ["--config", config, "proof", "2026-12", "--out", str(tmp_path / "proof")]
    assert run(order) == 0
    assert "no chromium is installed" in " ".join(capsys.readouterr().out.split())
    assert run([*order, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [Path(name).suffix for name in told["files"]] == [".html", ".txt"]
    assert "chromium" in told["note"]


def test_an_unknown_segment_is_one_sentence(config, tmp_path, capsys):
    """Exit 1, and the segments that there are."""
    assert run(["--config", config, "proof", "2026-12", "--segment", "gad", "--out", str(tmp_path / "p")]) == 1
    assert "diplomats" in capsys.readouterr().err


@pytest.mark.browser
@pytest.mark.skipif(browser() is None, reason="chromium is not installed")
def test_pictures_for_three_widths_in_light_and_dark_and_a_pdf(config, tmp_path, capsys):
    """Each picture has its width, dark differs from light, and the PDF is one."""
    out = tmp_path / "proof"
    assert run(["--config", config, "proof", "2026-12", "--segment", "gads", "--out", str(out)]) == 0
    stem = "2026-12.es.gads"
    for width in (375, 640, 800):
        corners = set()
        for scheme in ("light", "dark"):
            with Image.open(out / f"{stem}.{width}.{scheme}.png") as picture:
                assert picture.width == width
                assert picture.height > 300
                corners.add(picture.convert("RGB").getpixel((1, picture.height - 2)))
        assert len(corners) == 2
    assert (out / f"{stem}.pdf").read_bytes().startswith(b"%PDF-")
