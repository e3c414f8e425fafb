"""Files that spare work: to lose one, or to have no place for it, costs time and nothing else."""

import os
from contextlib import suppress
from pathlib import Path


def keep(path: Path, content: bytes) -> None:
    """Put a file there whole, or leave it as it was where there is no room or no right to write."""
    unfinished = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
