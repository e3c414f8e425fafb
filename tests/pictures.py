"""The sample issue's pictures, made fit for mail once a run: making them costs more than most tests."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_KEPT = "TESTS_KEEP_PICTURES_IN"


def kept_pictures() -> Path:
    """The folder of what was made, shared by the processes of a run."""
    if _KEPT not in os.environ:
        os.environ[_KEPT] = tempfile.mkdtemp(prefix="mailer-pictures-")
        atexit.register(shutil.rmtree, os.environ[_KEPT], ignore_errors=True)
    return Path(os.environ[_KEPT])


def keep_pictures_of(publication: Path) -> None:
    """Let a publication in a folder find the pictures that another has made."""
    (publication / "var").mkdir(exist_ok=True)
    (publication / "var" / "cache").symlink_to(kept_pictures())
