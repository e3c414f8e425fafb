"""Reads mail from where it lies: a file, an mbox, a Maildir, a folder of files."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from mailer.errors import OperatorError

_MBOX_LINE = re.compile(
    rb"^From [^\n]{0,200}\d\d:\d\d[^\n]{0,60}\d{4}[^\n]{0,20}\n(?=(?:>?From |[!-9;-~]{1,100}:)[^\n]{0,2000}\n)",
    re.MULTILINE,
)
_MAX_FILE: Final = 200 << 20


def messages_in(path: Path) -> Iterator[tuple[str, bytes]]:
    """
    Every message under `path`, with the name by which to speak of it: the file's, and `#number` within an mbox.

    Raises:
        OperatorError: There is nothing to read at `path`.

    """
    if path.is_dir():
        for file in sorted(found for found in path.rglob("*") if found.is_file() and not _is_kept_apart(found, path)):
            yield from messages_in(file)
        return
    try:
        if path.stat().st_size > _MAX_FILE:
            raise OperatorError(f"{path} is larger than {_MAX_FILE >> 20} MB; split it into smaller mailboxes")
        raw = path.read_bytes()
    except OSError as problem:
        raise OperatorError(f"{path} can't be read ({problem.strerror}); name a file, an mbox or a Maildir") from None
    messages = list(split_mbox(raw))
    for number, message in enumerate(messages, start=1):
        yield (str(path) if len(messages) == 1 else f"{path}#{number}"), message


def _is_kept_apart(file: Path, folder: Path) -> bool:
    """A Maildir's unfinished files (`tmp/`) and hidden ones (indexes of the server) are no mail."""
    parts = file.relative_to(folder).parts
    return parts[0] == "tmp" or any(part.startswith(".") for part in parts)


def split_mbox(raw: bytes) -> Iterator[bytes]:
    r"""
    The messages of an mbox; what is none comes back whole.

    >>> one = b"From a Mon Jan  2 10:00:00 2023\nTo: b\n\nx\n\n"
    >>> len(list(split_mbox(one + one))), len(list(split_mbox(b"From here on it is no mbox\n")))
    (2, 1)
    """
    if not raw.startswith(b"From "):
        yield raw
        return
    starts = [
        match.start() for match in _MBOX_LINE.finditer(raw) if match.start() == 0 or _after_blank(raw, match.start())
    ]
    if not starts or starts[0] > 0:
        starts = [0, *starts]
    for start, end in pairwise([*starts, len(raw)]):
        yield raw[start:end]


def _after_blank(raw: bytes, position: int) -> bool:
    return raw[max(position - 4, 0) : position].endswith((b"\n\n", b"\r\n\r\n"))
