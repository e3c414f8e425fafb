"""Senders killed over real SMTP, a few times; `python -m benchmarks.kills` does it two hundred times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_killed_senders_lose_nobody_and_repeat_nobody_unlisted(database: str):
    """One sender or two, held or sent again: the server's log and the ledger agree on everybody."""
    command = [sys.executable, "-m", "benchmarks.kills", "--kills", "8", "--people", "250", "--json"]
    done = subprocess.run([*command, "--database", database], cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    tally = json.loads(done.stdout)
    assert (tally["kills"], tally["recipients"]) == (8, 1000)
    assert (tally["lost"], tally["wrongly_sent"], tally["unlisted"], tally["unreconciled"]) == (0, 0, 0, 0)
