"""What the machine refuses a command."""

import os
import subprocess
import sys

import pytest

from mailer.cli.console import table

COMMAND = f'"{sys.executable}" -c "from mailer.cli import main; main()"'


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("--help >/dev/full", 1, "mailer: the output: no space left on device; make room and run this again\n"),
        ("--help >&-", 0, ""),
        ("--config años.toml segments", 1, "a?os.toml can't be read"),
    ],
    ids=["full disk", "closed output", "ascii terminal"],
)
def test_a_machine_that_refuses_gets_a_sentence_and_no_traceback(line: str, status: int, said: str) -> None:
    """A full disk, a closed stream or a narrow alphabet ends in a plain sentence at most, never in a traceback."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        ["/bin/sh", "-c", f"{COMMAND} {line}"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("terminal", ["", "1"], ids=["pipe", "terminal"])
def test_no_word_of_a_table_is_broken(terminal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """What a terminal is too narrow for is printed as lines that it folds by itself; a pipe gets any width."""
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("FORCE_COLOR", terminal)
    address = "relaciones.internacionales@municipio.example"
    table(("address", "sent"), [(address, 7)], figures=(1,))
    assert [address, "7"] in [line.split() for line in capsys.readouterr().out.splitlines()]
