"""The machine that a command runs on: a stream may be closed or narrow, a folder another's, the disk full."""

import errno
import os
import sys
from pathlib import Path
from typing import Final

_ITS_OWN: Final = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}


def open_streams() -> None:
    """Let a command speak whatever the shell gave it: a closed stream swallows all, a narrow one shows what it can."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 — as long as the process
        else:
            stream.reconfigure(errors="replace")


def refusal(problem: OSError) -> str | None:
    """
    What to tell the operator when the machine itself refused; None where the program is to blame.

    >>> refusal(PermissionError(errno.EACCES, "Permission denied", "issues/2026-12"))
    'issues/2026-12: permission denied; give this user that right, or work in a folder that is theirs'
    >>> refusal(OSError(errno.ENOSPC, "No space left on device", "var/mailer.db"))
    'var/mailer.db: no space left on device; make room and run this again'
    """
    if problem.errno not in _ITS_OWN:
        return None
    where = problem.filename or "the output"
    full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
    advice = "make room and run this again" if full else "give this user that right, or work in a folder that is theirs"
    words = problem.strerror or ""
    return f"{where}: {words[:1].lower()}{words[1:]}; {advice}"


def end_output() -> None:
    """
    Write out what is still held, and leave the interpreter nothing to complain of at its end.

    Raises:
        OSError: It can't be written, as on a full disk.

    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
