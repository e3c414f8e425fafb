"""What an author may have meant: the nearest of the known words."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """
    A hint at the known word that looks most like `word`, or at all of them.

    >>> did_you_mean("tilte", ["title", "month"])
    'did you mean "title"?'
    >>> did_you_mean("colour", ["title", "month"])
    'it can be title or month'
    """
    known = list(known)
    if near := get_close_matches(word.lower(), known, n=1):
        return f'did you mean "{near[0]}"?'
    return f"it can be {listed(known)}"


def listed(words: Iterable[str]) -> str:
    """
    Words as a sentence lists them.

    >>> listed(["a", "b", "c"])
    'a, b or c'
    """
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
