"""The attribute line: `{layout=lead sdgs="17, 11"}` directly under a heading."""

import re
from typing import Final

from mailer.issues.source import Source
from mailer.issues.suggest import did_you_mean, listed

KEYS: Final = ("layout", "sdgs", "segments", "label", "tag", "place", "figure", "date", "time", "id")
MOST_GOALS: Final = 17
_QUOTES: Final = str.maketrans("“”„«»", '"""""')
_PAIR: Final = re.compile(r'\s*([^\s=\"]+)\s*=\s*(?:"([^"]*)"|([^\s"]+))(?=\s|$)')
_LOOKS_LIKE: Final = re.compile(r"\{\s*[\w-]+\s*=.*")


def is_attribute_line(line: str) -> bool:
    """
    Whether the line is meant to hold attributes.

    >>> is_attribute_line("{id=metro}"), is_attribute_line("{sic} the source says")
    (True, False)
    """
    return bool(_LOOKS_LIKE.match(line.strip()))


def read_attributes(text: str, source: Source, line: int) -> dict[str, str]:
    """
    The keys and values of an attribute line; word processors' curly quotation marks are understood.

    >>> read_attributes('{layout=lead sdgs="17, 11"}', Source("", "issue.md"), 1)
    {'layout': 'lead', 'sdgs': '17, 11'}

    Raises:
        AuthorError: A key is unknown, twice or without value, or the line isn't closed.

    """
    text = text.strip().translate(_QUOTES)
    if not text.endswith("}"):
        raise source.wrong(line, "the attribute line is not closed; write } at its end, and nothing after it")
    inside, found = text[1:-1].strip(), dict[str, str]()
    while inside:
        pair = _PAIR.match(inside)
        if not pair:
            raise source.wrong(
                line, f'the attributes can\'t be read from "{inside}" on; write key=value or key="two words"'
            )
        key, value = pair[1], (pair[2] if pair[2] is not None else pair[3]).strip()
        if key not in KEYS:
            raise source.wrong(line, f'the attribute "{key}" is unknown; {did_you_mean(key, KEYS)}')
        if key in found:
            raise source.wrong(line, f"the attribute {key} stands twice; keep one of them")
        if not value:
            raise source.wrong(line, f"the attribute {key} is empty; give it a value or take it out")
        found[key] = value
        inside = inside[pair.end() :].strip()
    return found


def goals(text: str, source: Source, line: int) -> tuple[int, ...]:
    """
    Development goals as written, `6, 3`, in that order.

    >>> goals("6, 3", Source("", "issue.md"), 1)
    (6, 3)
    """
    found = words(text)
    for word in found:
        if not word.isascii() or not word.isdigit() or not 1 <= int(word) <= MOST_GOALS:
            raise source.wrong(
                line, f'"{word}" is no Sustainable Development Goal; write numbers from 1 to 17: sdgs="6, 3"'
            )
    return tuple(dict.fromkeys(int(word) for word in found))


def words(text: str) -> tuple[str, ...]:
    """
    The words of a list with commas or spaces between.

    >>> words("gads, partners")
    ('gads', 'partners')
    """
    return tuple(word for word in re.split(r"[\s,;]+", text) if word)


def layout(value: str, known: tuple[str, ...], kind: str, source: Source, line: int) -> str:
    """The layout, if `known` has it; `kind` says what it is of."""
    if value and value not in known:
        raise source.wrong(line, f'{kind} has no layout "{value}"; it can be {listed(known)}, or none')
    return value
