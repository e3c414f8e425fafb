"""What a workbook's reader may take of the machine: the kernel ends a process that wants more."""

import signal
import sys
from typing import Final

MEMORY: Final = 136 << 20
"""Bytes that the reader may write to, the interpreter's own included."""

_FIRST: Final = 1.2
_A_SECOND: Final = 40 << 20


def seconds_for(unpacked: int) -> float:
    """
    The processor time in which a workbook of so many bytes is opened, with room to spare.

    >>> seconds_for(0), seconds_for(80 << 20)
    (1.2, 3.2)
    """
    return _FIRST + unpacked / _A_SECOND


def bound_memory() -> None:
    """From now on, whoever takes more memory than `MEMORY` gets none, which ends a reader written in Rust."""
    if sys.platform == "win32":  # no such limits there
        return
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def is_out_of_time(status: int) -> bool:
    """Whether a process of that exit status was ended by `bound_time`."""
    return sys.platform != "win32" and status == -signal.SIGPROF


def bound_time(seconds: float) -> None:
    """End this process when it has computed so long from now on."""
    if sys.platform == "win32":
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
