"""The sink in a process of its own: what it accepted survives whatever is done to the sender."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from mailer.testing.faults import Fault


class SinkProcess(msgspec.Struct, frozen=True):
    """A running sink: where it listens, and the log of what it accepted."""

    host: str
    port: int
    pid: int
    log: Path

    def accepted(self) -> list[tuple[str, str]]:
        """The Message-ID and the recipient of each message, in order; a copy stands twice."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [(identifier, recipient) for identifier, _, recipient in (line.partition("\t") for line in lines)]


@contextmanager
def sink_process(
    log: Path,
    *,
    faults: Sequence[Fault] = (),
    durable: bool = True,
    offers: Sequence[str] | None = None,
    folder: Path | None = None,
) -> Iterator[SinkProcess]:
    """Run a sink in a process of its own until the block ends."""
    command = [sys.executable, "-m", "mailer.testing", "--port", "0", "--log", str(log)]
    command += ["--faults", msgspec.json.encode(list(faults)).decode()]
    command += ["--durable"] if durable else []
    command += [] if folder is None else ["--folder", str(folder)]
    command += [] if offers is None else ["--offers", ",".join(offers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            assert process.stdout is not None
            host, _, port = process.stdout.readline().strip().rpartition(":")
            yield SinkProcess(host=host, port=int(port), pid=process.pid, log=log)
        finally:
            process.terminate()
            process.wait(10)
