"""Workers as processes, killed in mid-send; `make kills-cluster` does it a hundred times over ten thousand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.postgres
@pytest.mark.timeout(300)
def test_killed_workers_lose_nobody_and_repeat_nobody_unlisted():
    """One of three workers is killed, twice: others take its slices up, and the account agrees."""
    command = [sys.executable, "-m", "benchmarks.cluster_kills", "--json", "--kills", "2", "--people", "160"]
    command += ["--rate", "60/s", "--patience", "220"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    tally = json.loads(done.stdout)
    assert (tally["recipients"], tally["open"]) == (160, 0)
    assert (tally["lost"], tally["unlisted"], tally["wrongly_sent"]) == (0, 0, 0)
    assert 0 < tally["kills"] <= 2
