"""A rehearsal is the whole campaign, on a copy: the account is the same in kind, and nothing of ours changes."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.app import App
from mailer.cli.commands import run

ROOT = Path(__file__).parents[2]
SHORT = """---
title: Brief de noviembre
month: 2022-11
number: 1
subject: Brief Internacional, noviembre
preheader: Lo que Quito hizo en el mundo este mes
---

## Noticias

### Una asamblea

La asamblea se reunió en Quito.
"""
PEOPLE = 150


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """A publication with a short issue and a list."""
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    shutil.copy(ROOT / "config.toml", tmp_path)
    (tmp_path / "issues/2022-11").mkdir(parents=True)
    (tmp_path / "issues/2022-11/issue.md").write_text(SHORT, encoding="utf-8")
    rows = "".join(f"persona{number}@gads.example\n" for number in range(PEOPLE))
    (tmp_path / "lista.csv").write_text(f"Correo\n{rows}", encoding="utf-8")
    path = tmp_path / "config.toml"
    assert run(["--config", str(path), "subscribers", "import", str(tmp_path / "lista.csv"), "--segment", "gads"]) == 0
    return path


@pytest.mark.parametrize("faults", ["mild", "harsh"])
def test_everybody_is_accounted_for_whatever_the_server_does(config: Path, capsys, faults: str):
    """Greylisting, drops, refusals and lost answers: the sums reconcile, none is lost, and nothing is left behind."""
    capsys.readouterr()
    assert run(["--config", str(config), "rehearse", "2022-11", "--faults", faults, "--segment", "gads", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    counts = told["account"]["counts"]
    assert (told["kept"], told["lost"], told["repeated_unlisted"]) == (True, 0, 0)
    assert told["account"]["state"] == "finished"
    assert counts["recipients"] == PEOPLE
    assert counts["sent"] < PEOPLE
    assert (counts["uncertain"] > 0) is (faults == "harsh")
    app = App.load(config)
    assert app.agenda.campaigns() == []
    app.close()
    assert not (config.parent / "var/outbox").exists()


def test_the_set_up_may_be_slow_and_parallel(config: Path, capsys):
    """Pace, hours and processes of the real set-up don't hold a rehearsal up."""
    text = config.read_text(encoding="utf-8")
    text = re.sub("(?m)^connections = .*", 'connections = 2\nprocesses = 2\nrate = "10/hour"', text)
    config.write_text(text, encoding="utf-8")
    assert run(["--config", str(config), "rehearse", "2022-11", "--faults", "none"]) == 0
    assert "Everybody is accounted for" in capsys.readouterr().out


def test_nobody_to_rehearse_with(config: Path, capsys):
    """A segment without readers is told in a sentence."""
    assert run(["--config", str(config), "rehearse", "2022-11", "--segment", "diplomats"]) == 1
    assert "import a list" in capsys.readouterr().err
