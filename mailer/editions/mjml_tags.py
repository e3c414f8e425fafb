"""What MJML knows: its elements, where each may stand, and their attributes."""

import tomllib
from functools import cache
from pathlib import Path

import msgspec


class Tag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One element. `ending`: it holds HTML. `empty`: it holds nothing. `any`: it takes every attribute."""

    inside: frozenset[str]
    attributes: frozenset[str] = frozenset()
    ending: bool = False
    empty: bool = False
    any: bool = False

    @property
    def in_body(self) -> bool:
        """Whether it is a component of the body, which takes a class."""
        return not self.inside & {"", "mjml", "mj-head", "mj-attributes"} or "mj-body" in self.inside


@cache
def tags() -> dict[str, Tag]:
    """
    The elements by name.

    >>> sorted(tags()["mj-column"].inside)
    ['mj-group', 'mj-section']
    """
    table = tomllib.loads(Path(__file__).with_name("mjml_tags.toml").read_text(encoding="utf-8"))
    return msgspec.convert(table, dict[str, Tag])
