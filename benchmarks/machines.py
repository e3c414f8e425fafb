"""
What the cluster's benchmarks and its demo stand on: one publication, and processes of `mailer` that stand for machines.

The processes are the real ones (`mailer run --schedule-only`, `mailer worker`), forked from an interpreter that has
everything loaded, so that a hundred of them can be killed in two minutes.
"""

import asyncio
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.ground import fork
from mailer import config, dispatch, worker
from mailer.app import App
from mailer.campaigns.account import Account
from mailer.campaigns.campaign import State
from mailer.cluster import serving
from mailer.testing import A_SHORT_ISSUE

ROOT = Path(__file__).parents[1]
ISSUE = "2022-11"


class Publication:
    """A folder with a config, an approved issue, and people in a PostgreSQL."""

    def __init__(self, folder: Path, url: str, port: int, *, delivery: str = "", more: str = "") -> None:
        self.folder = folder
        (folder / "templates").symlink_to(ROOT / "templates")
        (folder / "issues" / ISSUE).mkdir(parents=True)
        (folder / "issues" / ISSUE / "issue.md").write_text(A_SHORT_ISSUE, encoding="utf-8")
        text = (ROOT / "config.toml").read_text(encoding="utf-8")
        text = text.replace("sqlite:///var/mailer.db", url)
        if "connections" in delivery:
            text = text.replace("connections = 4\n", "", 1)
        text = text.replace('transport = "outbox"', f'transport = "smtp"\n{delivery}', 1)
        text = re.sub(r"(?m)^port = \d+", f"port = {port}", text)
        (folder / "config.toml").write_text(text + more, encoding="utf-8")
        self.environ = os.environ | {"MAILER_SECRET": secrets.token_urlsafe(32)}

    @contextmanager
    def app(self) -> Iterator[App]:
        """The composed application; closed again, so that no child inherits its connections."""
        app = App(config.load(self.folder / "config.toml", self.environ))
        app.hush()
        try:
            yield app
        finally:
            app.close()

    def begin(self, *, again: bool = False) -> int:
        """Approve, freeze and let send; gives the campaign's number."""
        with self.app() as app:
            compiled = app.compile(ISSUE)[1]
            dispatch.approve(app, ISSUE, "Dirección")
            opened = dispatch.open_campaign(app, compiled, ["gads"], by="benchmark", again=again)
            return dispatch.begin(app, opened, who="benchmark").id

    def state(self, campaign: int) -> tuple[State, Account]:
        """Where a campaign stands, and its sums."""
        with self.app() as app:
            return app.agenda.get(campaign).state, app.ledger.account(campaign)

    def scheduler(self) -> int:
        """Start `mailer run --schedule-only`; gives its process."""
        return fork(lambda: self._serve(lambda app, _: worker.serve(app, sends=False)))

    def worker(self) -> int:
        """Start `mailer worker`; gives its process."""
        return fork(lambda: self._serve(lambda app, stop: serving.work(app, stop, number=1)))

    def _serve(self, work: Callable[[App, asyncio.Event], object]) -> None:
        import uvloop

        async def main() -> None:
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            await work(app, stop)

        with self.app() as app:
            uvloop.run(main())

    def type_in(self, *words: str) -> str:
        """Run a command as a person would; gives what it printed."""
        command = [sys.executable, "-m", "mailer", *words]
        done = subprocess.run(command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"mailer {' '.join(words)}: {done.stderr}")
        return done.stdout

    def listed(self) -> list[dict[str, object]]:
        """Every delivery of the issue, as `mailer deliveries --json` prints it."""
        found: list[dict[str, object]] = json.loads(self.type_in("deliveries", ISSUE, "--json"))
        return found


def end(process: int, with_: signal.Signals = signal.SIGTERM) -> int:
    """Signal a process and wait for its end; gives its status."""
    os.kill(process, with_)
    return os.waitpid(process, 0)[1]


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition, and not for ever."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited for {seconds:.0f} s in vain")
        time.sleep(0.1)


def empty(folder: Path) -> Path:
    """An empty folder of that name."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
