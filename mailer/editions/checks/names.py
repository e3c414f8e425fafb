"""Names: the same one written in two ways in one issue (Quitaño, Quiteña), and accents lost in capitals."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations
from typing import Final

import msgspec

from mailer.editions.checks.hunspell import Knows
from mailer.editions.checks.passages import passages
from mailer.editions.checks.remark import Remark, warning
from mailer.issues.issue import Issue

_WORD: Final = re.compile(r"(?<![\w@./#-])[^\W\d_]{5,}(?![\w@-]|\.\w)")
_ENDING: Final = re.compile(r"(?:[aeo]s?|es)$")
_SHORTEST_STEM: Final = 5
_SIBILANTS: Final = frozenset("sz")
_CAPITALS: Final = re.compile(r"[^\W\d_]*[CS]ION\b")


class _Seen(msgspec.Struct):
    """A word as it was met first; `named` once it had a capital inside a sentence, `is_word` once it had none."""

    text: str
    line: int
    times: int
    named: bool
    is_word: bool


def names(issue: Issue, office: Collection[str], knows: Knows | None) -> Iterator[Remark]:
    """What is written in two ways; words that differ only in gender or number are the same name."""
    seen = _seen(issue)
    stems: dict[str, list[_Seen]] = {}
    for word in seen.values():
        stems.setdefault(_stem(word.text), []).append(word)
    for first, second in [*_near_pairs(list(stems)), *_near_surnames(seen.values())]:
        pair = sorted((stems[_stem(first)][0], stems[_stem(second)][0]), key=lambda word: word.times)
        named = any(word.named for word in pair)
        if named and all(map(_like_a_name, pair)) and any(_foreign(word.text, knows, office) for word in pair):
            rare, usual = pair
            told = f'"{rare.text}" and "{usual.text}" (line {usual.line}) look like the same name written in two ways'
            yield warning(
                "two-spellings", issue.where(rare.line), f"{told}; write it in one, or add both to dictionary.txt"
            )
    if knows is None and issue.language == "es":
        yield from _lost_accents(issue)


def _near_surnames(words: Iterable[_Seen]) -> Iterator[tuple[str, str]]:
    """Names whose last letters differ but for gender and number: Muñoz, Muños."""
    named = [word.text.casefold() for word in words if word.named]
    for first, second in _near_pairs(named):
        if first[-1] != second[-1] and {first[-1], second[-1]} <= _SIBILANTS:
            yield first, second


def _like_a_name(word: _Seen) -> bool:
    """Whether it is written as a name, or in capitals, where names can't be told from words; and never as a word."""
    return (word.named or word.text.isupper()) and not word.is_word


def _seen(issue: Issue) -> dict[str, _Seen]:
    found: dict[str, _Seen] = {}
    for passage in passages(issue):
        for match in _WORD.finditer(passage.text):
            text, key = match[0], match[0].casefold()
            inside = bool(re.search(r"[\w,;:]\s+$", passage.text[: match.start()]))
            named = text[0].isupper() and not text.isupper() and inside
            if key in found:
                found[key].times += 1
                found[key].named |= named
                found[key].is_word |= text.islower()
            else:
                found[key] = _Seen(text, passage.line_at(match.start()), 1, named, text.islower())
    return found


def _stem(text: str) -> str:
    """
    The word without gender and number; accents stay, ñ is a letter of its own.

    >>> _stem("Quiteñas"), _stem("QUITAÑO")
    ('quiteñ', 'quitañ')
    """
    return _ENDING.sub("", text.casefold())


def _near_pairs(stems: list[str]) -> Iterator[tuple[str, str]]:
    """Stems one letter apart: they meet over what is left of them without one letter, so that only near ones do."""
    left: dict[str, list[str]] = {}
    for stem in stems:
        if len(stem) >= _SHORTEST_STEM:
            for rest in {stem, *(stem[:place] + stem[place + 1 :] for place in range(1, len(stem)))}:
                left.setdefault(rest, []).append(stem)
    pairs = {tuple(sorted(pair)) for group in left.values() for pair in combinations(group, 2)}
    for first, second in sorted(pairs):
        if _is_one_apart(first, second) and _unaccented(first) != _unaccented(second):
            yield first, second


def _is_one_apart(one: str, other: str) -> bool:
    """
    Whether one letter was changed, left out, put in, or swapped with its neighbour.

    >>> _is_one_apart("corradi", "coradi"), _is_one_apart("corradi", "corrida"), _is_one_apart("quitañ", "quiteñ")
    (True, False, True)
    """
    start = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return abs(len(one) - len(other)) == 1
    one, other = one[start:], other[start:]
    swapped = one[:2][::-1] == other[:2] and one[2:] == other[2:]
    return swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:]


def _unaccented(text: str) -> str:
    return unicodedata.normalize("NFKD", text.replace("ñ", "\0")).encode("ascii", "ignore").decode("ascii")


def _foreign(text: str, knows: Knows | None, office: Collection[str]) -> bool:
    """Whether no dictionary has the word; without a dictionary any may be the wrong one."""
    return text.casefold() not in office and not (knows is not None and (knows(text) or knows(text.lower())))


def _lost_accents(issue: Issue) -> Iterator[Remark]:
    """Without a dictionary, the one ending that never lacks its accent in the singular."""
    for passage in passages(issue):
        for match in _CAPITALS.finditer(passage.text):
            told = f'"{match[0]}" lost its accent; write "{match[0][:-2]}ÓN"'
            yield warning("capital-accent", issue.where(passage.line_at(match.start())), told)
