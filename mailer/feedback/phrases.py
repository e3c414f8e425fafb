"""
Makes search patterns of `phrases.txt` (by which a reason is known) and `marks.txt` (by which a mail is known).

The notation there is small so that every pattern is linear: gaps are bounded, and nothing repeats inside a repeat.
"""

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Final

_NOTATION: Final = {
    " … ": " (?:.{0,60} )?",
    "…": ".{0,60}",
    "*": r"\w{0,40}",
    "#": r"\d{1,6}",
    "(": "(?:",
    ")": ")",
    "|": "|",
    r"\(": r"\(",
    r"\S*": r"\S{0,80}",
}
FIRM: Final = "firm "
"""How a section's name begins whose words stand, whatever the status says; its reason follows."""
_TOKEN = re.compile(r" … |\\\(|\\S\*|[…*#()|]|[^\\…*#()| ]+| ")


def unaccented(text: str) -> str:
    """
    Text without accents, Latin or other, in the form in which phrases and words are compared.

    >>> unaccented("Buzón"), unaccented("ボックス") == unaccented("ホックス")
    ('Buzon', True)
    """
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def pattern_of(phrase: str) -> str:
    """
    The regular expression for one phrase of `phrases.txt`.

    >>> bool(re.search(pattern_of("mailbox … (is |)full"), "mailbox of ana is full"))
    True
    """
    return "".join(_NOTATION.get(token) or re.escape(unaccented(token)) for token in _TOKEN.findall(phrase))


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each section: its name, which is a reason's, and the pattern of all its phrases, in the order of precedence."""
    return tuple(
        (reason, re.compile(rf"(?<!\w)(?:{'|'.join(map(pattern_of, lines))})(?!\w)"))
        for reason, lines in _sections("phrases.txt")
    )


@cache
def mark(name: str) -> re.Pattern[str]:
    """
    The pattern of one section of `marks.txt`, by which a mail is known for what it is.

    >>> bool(mark("away words").search("estoy de vacaciones hasta enero"))
    True
    """
    return re.compile("|".join(f"(?:{unaccented(line)})" for line in dict(_sections("marks.txt"))[name]))


def _sections(file: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for line in files("mailer.feedback").joinpath(file).read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            found.append((line.strip("[]"), []))
        elif line.strip("#") and not line.startswith("# "):
            found[-1][1].append(line)
    return found
