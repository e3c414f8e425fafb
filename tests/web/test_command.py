"""`mailer serve` as it is typed."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.web.conftest import publish


def command(config: Path, *words: str) -> list[str]:
    """The command line that serves the publication at `config`."""
    return [sys.executable, "-m", "mailer", "--config", str(config), "serve", *words]


def test_serve_says_where_and_stops_when_told(tmp_path: Path) -> None:
    """It names its address once it listens there, answers, and ends on SIGTERM."""
    with subprocess.Popen(command(publish(tmp_path), "--port", "0"), stdout=subprocess.PIPE, text=True) as process:
        try:
            address = re.search(r"http://[\d.]+:\d+", process.stdout.readline())[0]
            assert httpx.get(f"{address}/health", timeout=100).text == "ok\n"
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(100) in (0, -signal.SIGTERM)


def test_taken_port_is_said_plainly(tmp_path: Path) -> None:
    """A port that somebody else has is one sentence and exit status 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run = subprocess.run(
            command(publish(tmp_path), "--port", port), capture_output=True, text=True, timeout=200, check=False
        )
    assert run.returncode == 1
    assert run.stderr.startswith("mailer: can't listen on 127.0.0.1 port")
    assert run.stderr.count("\n") == 1
