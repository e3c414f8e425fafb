"""What the machine refuses a command."""

import os
import subprocess
import sys

import pytest

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
