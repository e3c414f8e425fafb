"""A publication in a folder of the test's own, driven by its command line as a person would."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from mailer.cli.commands import run
from mailer.testing import A_SHORT_ISSUE
from tests.pictures import keep_pictures_of

ROOT = Path(__file__).parents[1]


class Said(NamedTuple):
    """What a command wrote."""

    out: str
    err: str


class Publication:
    """A folder with config, issues, templates and lists, and the commands that work on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config.toml"

    @classmethod
    def sample(cls, folder: Path) -> "Publication":
        """A copy of the project's own."""
        for part in ("issues", "subscribers"):
            shutil.copytree(ROOT / part, folder / part)
        return cls._furnished(folder)

    @classmethod
    def small(cls, folder: Path) -> "Publication":
        """One short issue, 2022-11, and no lists."""
        (folder / "issues" / "2022-11").mkdir(parents=True)
        (folder / "issues" / "2022-11" / "issue.md").write_text(A_SHORT_ISSUE, encoding="utf-8")
        return cls._furnished(folder)

    @classmethod
    def _furnished(cls, folder: Path) -> "Publication":
        keep_pictures_of(folder)
        (folder / "templates").symlink_to(ROOT / "templates")
        shutil.copy(ROOT / "config.toml", folder / "config.toml")
        return cls(folder)

    def configure(self, pattern: str, replacement: str) -> None:
        """Change one line of the config."""
        text, count = re.subn(f"(?m){pattern}", replacement, self.config.read_text(encoding="utf-8"))
        assert count == 1, pattern
        self.config.write_text(text, encoding="utf-8")

    def add(self, toml: str) -> None:
        """Put more at the end of the config."""
        self.config.write_text(self.config.read_text(encoding="utf-8") + toml, encoding="utf-8")

    def send_over_smtp(self, port: int) -> None:
        """Use the SMTP server on a local port."""
        self.configure(r'^transport = "outbox"', 'transport = "smtp"')
        self.configure(r"^port = \d+", f"port = {port}")

    def write_list(self, *addresses: str) -> Path:
        """A list of these people."""
        path = self.folder / "lista.csv"
        path.write_text("\n".join(["correo", *addresses]) + "\n", encoding="utf-8")
        return path

    def enlist(self, people: int, segment: str) -> None:
        """Import a list of so many people at addresses that can't exist."""
        path = self.write_list(*(f"persona{number}@lista.example" for number in range(people)))
        self.run("subscribers", "import", str(path), "--segment", segment)

    def order(self, *words: str) -> tuple[int, Said]:
        """Run a command in this process, for starting one costs more than most commands: its status, what it said."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
            status = run(["--config", str(self.config), *words])
        return status, Said(*(stream.buffer.getvalue().decode() for stream in (out, err)))

    def run(self, *words: str, status: int = 0) -> Said:
        """Run a command, and hold it to its exit status."""
        ended, said = self.order(*words)
        assert ended == status, f"{words}: {ended}\n{said.out}\n{said.err}"
        return said

    def json(self, *words: str, status: int = 0) -> object:
        """What a command prints with --json."""
        return json.loads(self.run(*words, "--json", status=status).out)

    def refusal(self, *words: str) -> str:
        """The one sentence with which a command refuses."""
        said = self.run(*words, status=1).err.strip()
        assert len(said.splitlines()) == 1, said
        return said

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own, to be told to stop or killed."""
        command = [sys.executable, "-m", "mailer", "--config", str(self.config), *words]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=self.folder, env=environment, **pipes)

    def letters(self) -> list[Path]:
        """What the outbox took."""
        return sorted((self.folder / "var" / "outbox").glob("**/*.eml"))
