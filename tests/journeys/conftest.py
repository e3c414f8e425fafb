"""A publication of its own for each story, driven by the command line as a person would."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIELDS = "Correo,Nombre,Cargo,Institución"


class Publication:
    """A copy of the sample publication in a folder, and its command line in a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config.toml"

    def configure(self, pattern: str, replacement: str) -> None:
        """Change one line of the config."""
        text, count = re.subn(f"(?m){pattern}", replacement, self.config.read_text(encoding="utf-8"))
        assert count == 1, pattern
        self.config.write_text(text, encoding="utf-8")

    def send_over_smtp(self, port: int) -> None:
        """Use the SMTP server on a local port."""
        self.configure(r'^transport = "outbox"', 'transport = "smtp"')
        self.configure(r"^port = \d+", f"port = {port}")

    def write_list(self, people: int) -> Path:
        """A list of so many people at addresses that can't exist."""
        rows = [f"persona{number}@lista.example,,," for number in range(people)]
        path = self.folder / "lista.csv"
        path.write_text("\n".join([FIELDS, *rows]) + "\n", encoding="utf-8")
        return path

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command and don't wait for it."""
        command = [sys.executable, "-m", "mailer", "--config", str(self.config), *words]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, and hold it to its exit status."""
        process = self.start(*words)
        try:
            out, err = process.communicate(timeout=100)
        finally:
            process.kill()
        assert process.returncode == status, f"{words}: {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def json(self, *words: str) -> object:
        """What a command prints with --json."""
        return json.loads(self.run(*words, "--json").stdout)

    def refusal(self, *words: str) -> str:
        """The one sentence with which a command refuses."""
        done = self.run(*words, status=1)
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        return done.stderr.strip()


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    """The sample publication in a folder of the test's own."""
    for part in ("issues", "templates", "subscribers"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "config.toml", tmp_path / "config.toml")
    return Publication(tmp_path)
