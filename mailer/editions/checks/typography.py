"""Typography: words written twice, quotation marks and brackets without their other half, stray spaces."""

import re
from collections.abc import Iterator
from typing import Final

from mailer.editions.checks.passages import Passage, passages
from mailer.editions.checks.remark import Remark, warning
from mailer.issues.issue import Issue

_REPEATED: Final = re.compile(r"\b([^\W\d_]{2,})\s+\1\b", re.IGNORECASE)
_SPACED: Final = re.compile(r"(?<=\w)[ \t\xa0]+([,.;:!?])(?=\s|$)")
_PAIRS: Final = (("“", "”"), ("«", "»"), ("(", ")"))
_OPENED: Final = (("¿", "?"), ("¡", "!"))


def typography(issue: Issue) -> Iterator[Remark]:
    """What the typography family has to say about an issue."""
    for passage in passages(issue):
        for found in _REPEATED.finditer(passage.text):
            where = issue.where(passage.line_at(found.start()))
            yield warning("repeated-word", where, f'"{found[1]}" stands twice in a row; delete one')
        for found in _SPACED.finditer(passage.text):
            where = issue.where(passage.line_at(found.start()))
            yield warning("space", where, f'a space stands before "{found[1]}"; delete it')
        for problem in _unpaired(passage.text, spanish=issue.language == "es"):
            yield warning("unpaired", _where(issue, passage), problem)


def _where(issue: Issue, passage: Passage) -> str:
    return issue.where(passage.line)


def _unpaired(text: str, *, spanish: bool) -> Iterator[str]:
    if text.count('"') % 2:
        yield 'a quotation mark " has no other half'
    for opening, closing in _PAIRS:
        # "a)" and "1)" count items: nobody opens those.
        counted = re.sub(r"(?:^|(?<=\s))\w\)", "", text) if closing == ")" else text
        if counted.count(opening) != counted.count(closing):
            yield f"{opening} and {closing} don't come in pairs"
    for opening, closing in _OPENED if spanish else ():
        if text.count(closing) and not text.count(opening):
            yield f"{closing} closes what no {opening} opens"
        elif text.count(opening) and not text.count(closing):
            yield f"{opening} opens what no {closing} closes"
