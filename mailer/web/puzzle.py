"""
A small sum that a browser does before it asks for a letter: cheap once, dear a million times.

The way of ALTCHA, with nobody else involved: the server picks a number and shows the hash of it with a salt; the
browser tries numbers until it has found the one. Nothing is kept until an answer comes.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from mailer.tokens import InvalidToken, Signer, any_number, new_salt

EFFORT: Final = 60_000  # numbers to try at the most: about half a second on a telephone
GOOD_FOR: Final = timedelta(hours=4)
_PURPOSE: Final = "puzzle"
_HASH_CHARS: Final = 32


class Answer(msgspec.Struct, frozen=True):
    """What came back with a form: when the form was drawn, the puzzle's name, and whether it was solved."""

    drawn_at: datetime
    salt: str
    is_solved: bool


def _hash(salt: str, number: int | str) -> str:
    return hashlib.sha256(f"{salt}-{number}".encode()).hexdigest()[:_HASH_CHARS]


def draw(signer: Signer, now: datetime) -> str:
    """A fresh puzzle, signed: `<time>-<salt>-<hash>` is its payload."""
    salt = new_salt()
    return signer.sign(_PURPOSE, f"{int(now.timestamp())}-{salt}-{_hash(salt, any_number(EFFORT))}")


def check(signer: Signer, puzzle: str, number: str, now: datetime) -> Answer | None:
    """What a form's puzzle says; None if it wasn't drawn here or has grown old."""
    try:
        drawn, salt, wanted = signer.read(_PURPOSE, puzzle).split("-")
    except (InvalidToken, ValueError):
        return None
    drawn_at = datetime.fromtimestamp(int(drawn), UTC)
    if not timedelta() <= now - drawn_at + timedelta(seconds=1) <= GOOD_FOR:
        return None
    is_solved = number.isascii() and number.isdigit() and len(number) < 10 and _hash(salt, number) == wanted  # noqa: PLR2004 - digits
    return Answer(drawn_at=drawn_at, salt=salt, is_solved=is_solved)
