"""What somebody may have meant: the nearest of the known words."""

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
    if meant := near(word, known):
        return f'did you mean "{meant[0]}"?'
    return f"it can be {listed(known)}"


def near(word: str, known: Iterable[str], likeness: float = 0.6) -> list[str]:
    """
    The one of the known words that looks most like `word`, if any does.

    >>> near("tilte", ["title", "month"]), near("colour", ["title", "month"])
    (['title'], [])
    """
    return get_close_matches(word.lower(), list(known), n=1, cutoff=likeness)


def listed(words: Iterable[str]) -> str:
    """
    Words as a sentence lists them.

    >>> listed(["a", "b", "c"])
    'a, b or c'
    """
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
