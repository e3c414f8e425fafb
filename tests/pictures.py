"""What a run makes once: pictures fit for mail, templates compiled, words asked of the dictionary."""

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
    """Let a publication in a folder find what another has made; it costs more to make than most tests take."""
    (publication / "var").mkdir(exist_ok=True)
    (publication / "var" / "cache").symlink_to(kept_pictures())
