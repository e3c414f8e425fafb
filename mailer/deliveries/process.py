"""Which process this is, so that the next one can tell a run that died from one that is busy."""

import os
import socket
from pathlib import Path

import msgspec


class Process(msgspec.Struct, frozen=True):
    """A process on a host; `started` (boot and start time) tells it from a later one with the same number."""

    host: str
    pid: int
    started: str

    @classmethod
    def this(cls) -> "Process":
        """The process that runs this code."""
        return cls(host=socket.gethostname(), pid=os.getpid(), started=_started(os.getpid()))

    def is_surely_dead(self) -> bool:
        """
        Whether the process ran on this host and runs no more.

        Of another host nothing is known here: its lease has to run out.
        """
        return self.host == socket.gethostname() and bool(self.started) and _started(self.pid) != self.started


def _started(pid: int) -> str:
    """Boot id and start time in ticks since boot (proc(5), field 22); empty where there is no /proc."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "gone"
    # The command name stands in parentheses and may hold anything; the state comes first behind it.
    fields = stat.rpartition(")")[2].split()
    return "gone" if fields[0] in "ZX" else f"{boot}:{fields[19]}"
