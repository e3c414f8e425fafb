"""The attribute line: `{layout=lead sdgs="17, 11"}` directly under a heading."""

import re
from typing import Final

from mailer.issues.issue import ARTICLE_LAYOUTS, SECTION_LAYOUTS
from mailer.issues.source import Source
from mailer.suggest import did_you_mean, listed, near

KEYS: Final = ("layout", "sdgs", "segments", "label", "tag", "place", "figure", "date", "time", "id")
_GOALS: Final = frozenset(str(number) for number in range(1, 18))
_AND: Final = frozenset({"y", "e", "and", "&"})
# What an officer who writes Spanish calls them.
_SPANISH: Final = {
    "cifra": "figure",
    "diseño": "layout",
    "etiqueta": "tag",
    "fecha": "date",
    "hora": "time",
    "lugar": "place",
    "ods": "sdgs",
    "rótulo": "label",
    "segmentos": "segments",
}
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

    A key that is unknown, twice or without value is a fault, and so is a line that isn't closed.
    """
    text = text.strip().translate(_QUOTES)
    if not text.endswith("}"):
        source.fault(line, "the attribute line is not closed; write } at its end, and nothing after it")
        text = text.partition("}")[0] + "}"
    inside, found = text[1:-1].strip(), dict[str, str]()
    while inside:
        pair = _PAIR.match(inside)
        if not pair:
            source.fault(line, f'the attributes can\'t be read from "{inside}" on; write key=value or key="two words"')
            break
        key, value = pair[1], (pair[2] if pair[2] is not None else pair[3]).strip()
        if key not in KEYS:
            source.fault(line, f'the attribute "{key}" is unknown; {_meant(key)}')
        elif key in found:
            source.fault(line, f"the attribute {key} stands twice; keep one of them")
        elif not value:
            source.fault(line, f"the attribute {key} is empty; give it a value or take it out")
        else:
            found[key] = value
        inside = inside[pair.end() :].strip()
    return found


def _meant(key: str) -> str:
    """What an attribute's name was to be: its Spanish word, or one that looks like it."""
    return f'write "{_SPANISH[key.lower()]}"' if key.lower() in _SPANISH else did_you_mean(key, KEYS)


def goals(text: str, source: Source, line: int) -> tuple[int, ...]:
    """
    Development goals as written, `6, 3`, in that order.

    >>> goals("6, 3 y 11", Source("", "issue.md"), 1)
    (6, 3, 11)
    """
    found = [word for word in words(text) if word not in _AND]
    for word in found:
        if word not in _GOALS:
            source.fault(line, f'"{word}" is no Sustainable Development Goal; write numbers from 1 to 17: sdgs="6, 3"')
    return tuple(dict.fromkeys(int(word) for word in found if word in _GOALS))


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
        others = {*ARTICLE_LAYOUTS, *SECTION_LAYOUTS} - {*known}
        other = "a section (##)" if "cards" in others else "an article (###)"
        if value in others:
            source.fault(line, f'"{value}" is a layout of {other}, not of {kind}; move it below such a heading')
            return ""
        like = near(value, known)
        hint = f'did you mean "{like[0]}"?' if like else f"it can be {listed(known)}, or none"
        source.fault(line, f'{kind} has no layout "{value}"; {hint}')
        return ""
    return value
