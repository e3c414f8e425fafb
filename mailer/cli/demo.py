"""
`mailer demo`: the whole job on the sample data, by the very commands that a person would type.

It works in a temporary folder and sends to an SMTP server that it starts itself on a free local port.
"""

import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from mailer.cli.console import say, say_marked

ISSUE: Final = "2022-11"
_PARTS: Final = ("issues", "templates", "subscribers")


def demo(context: typer.Context) -> None:
    """Do the whole job on the sample data: import, render, check, test, approve, send over local SMTP, account."""
    from mailer import config
    from mailer.testing import sink_process

    loaded = config.load(context.obj)
    folder = Path(tempfile.mkdtemp(prefix="mailer-demo-"))
    received = folder / "received"
    received.mkdir()
    with sink_process(folder / "accepted.log", folder=received, durable=False) as sink:
        say_marked(
            "[dim]An SMTP server listens on {host}:{port}; everything happens in {folder}[/]",
            host=sink.host,
            port=sink.port,
            folder=folder,
        )
        _furnish(loaded.folder, folder, loaded.path.name, sink.port)
        _carry_out(folder / loaded.path.name, list(loaded.config.segments.items()), folder)
        messages = len(sink.accepted())
    _show_the_way(folder, messages)


def _furnish(source: Path, folder: Path, name: str, port: int) -> None:
    """Copy the sample publication, its config set to send to the local server."""
    for part in _PARTS:
        shutil.copytree(source / part, folder / part)
    text = (source / name).read_text(encoding="utf-8")
    text = re.sub(r'(?m)^transport = "outbox"', 'transport = "smtp"', text)
    text = re.sub(r"(?m)^port = \d+", f"port = {port}", text)
    (folder / name).write_text(text, encoding="utf-8")


def _carry_out(config: Path, segments: Sequence[tuple[str, object]], folder: Path) -> None:
    """Every command of the job, shown before it runs; the first that fails ends the demo."""
    for name, segment in segments:
        source = str(getattr(segment, "source", ""))
        _type(config, "subscribers", "import", str(config.parent / source), "--segment", name)
    _type(config, "segments")
    _type(config, "render", ISSUE, "--out", str(folder / "out"))
    _type(config, "check", ISSUE)
    _type(config, "test-send", ISSUE)
    _type(config, "approve", ISSUE, "--by", "Dirección")
    _type(config, "send", ISSUE, "--yes")
    _type(config, "campaigns", "show", "1")


def _type(config: Path, *words: str) -> None:
    from mailer.cli.commands import run

    shown = shlex.join(word.replace(f"{config.parent}/", "") for word in words)
    say_marked("\n[bold blue]$ mailer {shown}[/]", shown=shown)
    sys.stdout.flush()
    if status := run(["--config", str(config), *words]):
        raise typer.Exit(status)


def _show_the_way(folder: Path, messages: int) -> None:
    """Where to look: the page, its picture where there is a browser, the messages as the server got them."""
    from mailer.chromium import screenshot

    page = folder / "out" / f"{ISSUE}.es.diplomats.html"
    picture = folder / "out" / f"{ISSUE}.png"
    told = "\n[bold]{messages} messages[/] were accepted by the server: tests to the staff, and the campaign. Look at"
    say_marked(told, messages=messages)
    say(f"  the Brief     {page}")
    if screenshot(page, picture, width=640):
        say(f"  as a picture  {picture}")
    say(f"  the messages  {folder / 'received'}/*.eml")
