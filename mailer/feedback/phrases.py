"""
Makes search patterns of `phrases.txt`, where the reasons' phrases stand as data.

The notation there is small so that every pattern is linear: gaps are bounded, and nothing repeats inside a repeat.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Final

_NOTATION: Final = {
    "…": ".{0,60}",
    "*": r"\w{0,40}",
    "#": r"\d{1,6}",
    "(": "(?:",
    ")": ")",
    "|": "|",
    r"\(": r"\(",
    r"\S*": r"\S{0,80}",
}
_TOKEN = re.compile(r"\\\(|\\S\*|[…*#()|]|[^\\…*#()|]+")


def pattern_of(phrase: str) -> str:
    """
    The regular expression for one phrase of `phrases.txt`.

    >>> bool(re.search(pattern_of("mailbox … (is |)full"), "mailbox of ana is full"))
    True
    """
    return "".join(_NOTATION.get(token) or re.escape(token) for token in _TOKEN.findall(phrase))


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each section: its reason's name and the pattern of all its phrases, in the order of precedence."""
    phrases: list[tuple[str, list[str]]] = []
    for line in files("mailer.feedback").joinpath("phrases.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            phrases.append((line.strip("[]"), []))
        elif line and not line.startswith("#"):
            phrases[-1][1].append(line)
    return tuple((reason, _compiled(lines)) for reason, lines in phrases)


def _compiled(lines: list[str]) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(map(pattern_of, lines)) + r")(?!\w)")
