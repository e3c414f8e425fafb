"""Senders killed over real SMTP, a few times; `python -m benchmarks.kills` does it two hundred times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("database", "kills", "people"),
    [("sqlite", 8, 250), pytest.param("postgres", 4, 150, marks=pytest.mark.postgres)],
    ids=["sqlite", "postgres"],
)
def test_killed_senders_lose_nobody_and_repeat_nobody_unlisted(database: str, kills: int, people: int):
    """One sender or two, held or sent again: the server's log and the ledger agree on everybody."""
    command = [sys.executable, "-m", "benchmarks.kills", "--json", "--database", database]
    command += ["--kills", str(kills), "--people", str(people)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    tally = json.loads(done.stdout)
    assert tally["kills"] == kills
    assert tally["recipients"] == people * tally["campaigns"] > 0
    assert (tally["lost"], tally["wrongly_sent"], tally["unlisted"], tally["unreconciled"]) == (0, 0, 0, 0)
