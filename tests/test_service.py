"""`mailer run` and `mailer send` as processes: signals, kills, and the account after them."""

import io
import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from mailer.cli.commands import run
from mailer.testing import sink_process

ROOT = Path(__file__).parent.parent
PEOPLE = 600
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


def mailer(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "mailer", "--config", str(folder / "config.toml"), *words]


def carry_out(folder: Path, *words: str) -> str:
    """A command in this process: starting one costs seconds, and only the killed ones need it."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with redirect_stdout(out):
        assert run(["--config", str(folder / "config.toml"), *words]) == 0
        out.flush()
    return out.buffer.getvalue().decode()


def furnish(folder: Path, port: int) -> None:
    """A publication with an approved issue, a list, and a local SMTP server as its way out."""
    (folder / "templates").symlink_to(ROOT / "templates")
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    text = text.replace('transport = "outbox"', 'transport = "smtp"')
    (folder / "config.toml").write_text(re.sub(r"(?m)^port = \d+", f"port = {port}", text), encoding="utf-8")
    (folder / "issues/2022-11").mkdir(parents=True)
    (folder / "issues/2022-11/issue.md").write_text(SHORT, encoding="utf-8")
    rows = "".join(f"persona{number}@gads.example\n" for number in range(PEOPLE))
    (folder / "list.csv").write_text(f"correo\n{rows}", encoding="utf-8")
    carry_out(folder, "subscribers", "import", str(folder / "list.csv"), "--segment", "gads")
    carry_out(folder, "approve", "2022-11", "--by", "Dirección")


def wait_until(condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_killed_send_is_taken_up_by_the_service(tmp_path: Path):
    """SIGKILL in mid-campaign, then `mailer run`: nobody is lost, copies are listed, and SIGTERM ends it with 0."""
    with sink_process(tmp_path / "accepted.log") as sink:
        furnish(tmp_path, sink.port)
        with subprocess.Popen(mailer(tmp_path, "send", "2022-11", "--yes"), stdout=subprocess.DEVNULL) as sender:
            wait_until(lambda: len(sink.accepted()) > PEOPLE // 4)
            sender.send_signal(signal.SIGKILL)
        show = ("campaigns", "show", "1", "--json")
        assert json.loads(carry_out(tmp_path, *show))["reconciled"]
        with subprocess.Popen(mailer(tmp_path, "run"), stdout=subprocess.DEVNULL) as service:
            wait_until(lambda: json.loads(carry_out(tmp_path, *show))["state"] == "finished")
            service.send_signal(signal.SIGTERM)
            assert service.wait(20) == 0
        lines = json.loads(carry_out(tmp_path, "deliveries", "2022-11", "--json"))
        copies = Counter(recipient for _, recipient in sink.accepted())
    doubtful = {line["email"] for line in lines if line["uncertain_at"]}
    assert len(lines) == PEOPLE
    assert set(copies) | doubtful == {line["email"] for line in lines}
    assert {email for email, number in copies.items() if number > 1} <= doubtful
    assert {line["state"] for line in lines} <= {"sent", "uncertain"}


def test_a_send_that_is_asked_to_stop_says_how_to_go_on(tmp_path: Path):
    """SIGTERM in the foreground lands what is in flight, gives the rest back, and the next send finishes."""
    with sink_process(tmp_path / "accepted.log") as sink:
        furnish(tmp_path, sink.port)
        with subprocess.Popen(
            mailer(tmp_path, "send", "2022-11", "--yes"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as sender:
            wait_until(lambda: len(sink.accepted()) > 20)
            sender.send_signal(signal.SIGTERM)
            spoken = sender.communicate(timeout=30)[1]
        if sender.returncode:  # a fast machine may have been through
            assert "goes on where it stands" in spoken
        done = json.loads(carry_out(tmp_path, "send", "2022-11", "--yes", "--json")) if sender.returncode else None
        assert done is None or (done["counts"]["sent"], done["counts"]["uncertain"]) == (PEOPLE, 0)
        assert len(sink.accepted()) == PEOPLE
