"""
One campaign, two workers, one of them killed in mid-send: shown in one command.

    make demo-cluster

Starts a PostgreSQL of its own (from PyPI's wheel) and a local SMTP server, and types the commands that an office with
several machines types. Nothing leaves the machine, and everything is gone afterwards.
"""

import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.ground import Ground, an_empty_database
from benchmarks.machines import ISSUE, Publication, empty, wait_until
from mailer.testing import sink_process
from mailer.testing.process import SinkProcess

PEOPLE = 4_000
RATE = "200/s"


def say(text: str) -> None:
    print(text, flush=True)


class Stage:
    """The publication, with every command shown as it is typed."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication

    def type_in(self, *words: str) -> None:
        """Type a command, and show it with what it prints."""
        say(f"\n$ {shlex.join(['mailer', *words])}")
        say(self.publication.type_in(*words).rstrip())

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """A long-running command, as on a machine of its own; what it logs is left out."""
        say(f"\n$ {shlex.join(['mailer', *words])} &")
        command = [sys.executable, "-m", "mailer", *words]
        place = self.publication
        return subprocess.Popen(command, cwd=place.folder, env=place.environ, stderr=subprocess.DEVNULL)


def play(stage: Stage, sink: SinkProcess) -> None:
    """The whole story."""
    stage.type_in("db", "upgrade")
    scheduler = stage.start("run", "--schedule-only")
    workers = [stage.start("worker"), stage.start("worker")]
    try:
        stage.type_in("approve", ISSUE, "--by", "Dirección")
        wait_until(lambda: stage.publication.type_in("workers").count(" s ago") == len(workers), 60)
        stage.type_in("workers")
        sending = stage.start("send", ISSUE, "--segment", "gads", "--yes")
        wait_until(lambda: len(sink.accepted()) > PEOPLE // 4, 120)
        say(f"\n{len(sink.accepted())} messages are out. One of the two workers is killed:")
        say(f"\n$ kill -KILL {workers[0].pid}")
        workers.pop(0).kill()
        stage.type_in("campaigns", "show", "1")
        started = time.monotonic()
        sending.wait(300)
        say(f"(done {time.monotonic() - started:.0f} s later)")
    finally:
        for process in [*workers, scheduler]:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    stage.type_in("workers")
    stage.type_in("campaigns", "show", "1")


def compare(publication: Publication, copies: Counter[str]) -> bool:
    """Hold the account against the server's own log."""
    lines = publication.listed()
    listed = {str(line["message_id"]) for line in lines if line["uncertain_at"]}
    everybody = {str(line["message_id"]) for line in lines}
    lost = len(everybody - copies.keys() - listed)
    unlisted = sum(count > 1 and message not in listed for message, count in copies.items())
    say(f"\nThe server's log: {copies.total()} messages to {len(copies)} of {len(lines)} recipients.")
    say(f"Lost: {lost}. Second copies that are not listed: {unlisted}. Listed as uncertain: {len(listed)}.")
    return not lost and not unlisted


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="mailer-demo-cluster-") as name,
        an_empty_database("postgres", Path(name)) as url,
        sink_process(Path(name) / "accepted.log") as sink,
    ):
        say("A PostgreSQL and an SMTP server are running; everything happens on this machine.")
        publication = Publication(empty(Path(name) / "it"), url, sink.port, delivery=f'rate = "{RATE}"')
        ground = Ground(url)
        ground.people(PEOPLE)
        ground.close()
        play(Stage(publication), sink)
        kept = compare(publication, Counter(identifier for identifier, _ in sink.accepted()))
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
