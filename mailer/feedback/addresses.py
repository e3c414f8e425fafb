"""Finds e-mail addresses in what servers write, where they stand between angle brackets, colons and quotes."""

import re
from collections.abc import Iterable
from typing import Final

ADDRESS: Final = (
    r"""(?<![\w.+@])(?:"[^"\r\n@<>]{1,64}"|[^\s<>()\[\],;:"'@\\/=|*`][^\s<>()\[\],;:"@\\|*`]{0,63})"""
    r"""@[^\s<>()\[\],;:"'@|*`]{1,254}"""
)
_FOUND = re.compile(ADDRESS)
_MACHINES: Final = frozenset({"mailer-daemon", "postmaster", "mailerdaemon", "maildaemon", "mdaemon", "abuse"})
_MAX_TEXT: Final = 100_000


def clean(text: str) -> str:
    """
    The address in one token of a report, or nothing.

    >>> clean("rfc822; <Ana@gad.example>."), clean("unknown")
    ('Ana@gad.example', '')
    """
    match = _FOUND.search(text[:_MAX_TEXT])
    return _trimmed(match[0]) if match else ""


def addresses_in(text: str) -> list[str]:
    """
    Every address in a text, in order, each once.

    >>> addresses_in("To: <ana@gad.example>, ben@gad.example; ana@gad.example")
    ['ana@gad.example', 'ben@gad.example']
    """
    return list(dict.fromkeys(trimmed for match in _FOUND.findall(text[:_MAX_TEXT]) if (trimmed := _trimmed(match))))


def _trimmed(address: str) -> str:
    trimmed = address.partition("@")[0] + "@" + address.partition("@")[2].partition("..")[0]
    trimmed = trimmed.strip("'`.,!?{}&").removeprefix("mailto:")
    local, _, domain = trimmed.rpartition("@")
    return trimmed if local and domain and any(character.isalnum() for character in domain) else ""


def is_machine(address: str) -> bool:
    """
    Whether the address is a mail system's own.

    >>> is_machine("MAILER-DAEMON@mx.gad.example")
    True
    """
    return address.rpartition("@")[0].lower() in _MACHINES


def same(address: str, others: Iterable[str]) -> bool:
    """Whether the address is among the others, but for the case of its letters."""
    return address.casefold() in {other.casefold() for other in others}


def same_mailbox(address: str, other: str) -> bool:
    """
    Whether two addresses may well be one mailbox: a server that renames its domain inside leaves the local part.

    >>> same_mailbox("ana@gad.example", "Ana@mx2.gad.example"), same_mailbox("todos@gad.example", "ana@gad.example")
    (True, False)
    """
    return address.rpartition("@")[0].casefold() == other.rpartition("@")[0].casefold()
