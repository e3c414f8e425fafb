"""A dictionary that remembers: what it once said of a word is kept, and it is loaded only when a word is new."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from mailer.editions.checks.hunspell import SUFFIXES, Knows, dictionary, installed
from mailer.editions.kept_file import keep

# November asks for 1,400. Beyond, only what the last issue asked is kept.
_MOST_WORDS: Final = 200_000


@contextmanager
def lexicon(language: str, system: Path, memory: Path | None = None) -> Iterator[Knows | None]:
    """
    Open the best dictionary of a language in the folder `system`; none if there is none.

    In the folder `memory` its answers are kept from one check to the next.
    """
    path = installed(language, system)
    if path is None:
        yield None
        return
    source = _source(path)
    kept = memory / f"{path.name}.words" if memory else None
    learnt = _recalled(kept, source) if kept else {}
    asked: dict[str, bool] = {}

    def knows(word: str) -> bool:
        if word not in asked:
            asked[word] = learnt[word] if word in learnt else dictionary(path, source)(word)
        return asked[word]

    yield knows
    if kept and not learnt.keys() >= asked.keys():
        whole = learnt | asked
        body = msgspec.json.encode(whole if len(whole) <= _MOST_WORDS else asked)
        keep(kept, _seal(source, body) + body)


def _source(path: Path) -> str:
    """The mark of a dictionary's files and of the program that reads them: with either, answers may change."""
    contents = b"".join(hashlib.sha256(Path(f"{path}.{suffix}").read_bytes()).digest() for suffix in SUFFIXES)
    return f"{version('spylls')}/{hashlib.sha256(contents).hexdigest()}"


def _recalled(kept: Path, source: str) -> dict[str, bool]:
    """What was kept; nothing if it is not there yet, is damaged, or was said by another dictionary."""
    try:
        seal, line, body = kept.read_bytes().partition(b"\n")
    except OSError:
        return {}
    return msgspec.json.decode(body, type=dict[str, bool]) if seal + line == _seal(source, body) else {}


def _seal(source: str, body: bytes) -> bytes:
    """A line that fits these answers of this dictionary and no others."""
    return hashlib.sha256(source.encode() + b"\n" + body).hexdigest().encode() + b"\n"
