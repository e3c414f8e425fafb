"""
Header fields as they go on the wire: ASCII, folded, and closed to whoever tries to write a line of their own.

Each function gives whole lines ending in CRLF. Free text is encoded by RFC 2047; addresses and URLs never are, because
an encoded `List-Unsubscribe` is one that no reader's button understands (RFC 8058).
"""

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from mailer.address import Mailbox

_WIDTH: Final = 76  # RFC 2047 2: a line that holds an encoded word
_LONGEST: Final = 998  # RFC 5322 2.1.1
_OPENING: Final = "=?utf-8?q?"
_FORBIDDEN: Final = re.compile("[\r\n\0\ud800-\udfff]")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_PRINTABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_SAFE_IN_WORD: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


class Unwritable(ValueError):
    """A value that no message may hold: a line break, a NUL, or half a character; the message says in what."""


def refuse_breaks(value: str, place: str) -> str:
    r"""
    The value as it is, if it can't start a line of its own.

    >>> refuse_breaks("Quito\r\nBcc: all@quito.example", "Subject")
    Traceback (most recent call last):
    mailer.messages.headers.Unwritable: Subject holds a line break, a NUL or a broken character

    Raises:
        Unwritable: It holds CR, LF, NUL or a lone surrogate.

    """
    if not value.isprintable() and _FORBIDDEN.search(value):
        raise Unwritable(f"{place} holds a line break, a NUL or a broken character")
    return value


def text_field(name: str, value: str) -> bytes:
    r"""
    A field of free text, encoded where it is not plain ASCII or too long for one line.

    >>> text_field("Subject", "Noviembre en Quito")
    b'Subject: Noviembre en Quito\r\n'
    """
    refuse_breaks(value, name)
    if "=?" not in value and len(name) + 2 + len(value) <= _WIDTH and (not value or _PRINTABLE.fullmatch(value)):
        return f"{name}: {value}\r\n".encode("ascii")
    return f"{name}: {_encoded_words(value, len(name) + 2)}\r\n".encode("ascii")


def mailbox_field(name: str, mailbox: Mailbox) -> bytes:
    r"""
    A field of one mailbox: its name, white space made single, if it has one; then the address.

    >>> mailbox_field("To", Mailbox("Alcaldía", "alcaldia@nabon.example"))
    b'To: =?utf-8?q?Alcald=C3=ADa?= <alcaldia@nabon.example>\r\n'
    """
    address = wire_address(refuse_breaks(mailbox.address, name))
    shown = " ".join(refuse_breaks(mailbox.name, name).split())
    return _after_phrase(name, shown, address) if shown else f"{name}: {address}\r\n".encode()


def url_field(name: str, urls: Sequence[str]) -> bytes:
    r"""
    A list of URLs in angle brackets, raw, one a line (RFC 2369 2).

    >>> url_field("List-Unsubscribe", ["https://quito.example/u/1", "mailto:u@quito.example"])
    b'List-Unsubscribe: <https://quito.example/u/1>,\r\n <mailto:u@quito.example>\r\n'

    Raises:
        Unwritable: One is not printable ASCII, or too long for a line.

    """
    for url in urls:
        if not _is_url(url) or len(name) + len(url) + 5 > _LONGEST:
            raise Unwritable(f"{name} holds a URL that a header can't carry; percent-encode it")
    listed = ",\r\n ".join(f"<{url}>" for url in urls)
    return f"{name}: {listed}\r\n".encode("ascii")


def raw_field(name: str, value: str) -> bytes:
    """
    A field of tokens that are ASCII by nature (identifiers, MIME types).

    Raises:
        Unwritable: It is not printable ASCII, or too long for a line.

    """
    refuse_breaks(value, name)
    if not _is_plain(value) or value != value.strip() or len(name) + len(value) + 2 > _LONGEST:
        raise Unwritable(f"{name} must be printable ASCII of one line")
    return f"{name}: {value}\r\n".encode("ascii")


def _is_plain(text: str) -> bool:
    """Whether it is a line of printable ASCII."""
    return bool(text) and text.isascii() and text.isprintable()


def _is_url(text: str) -> bool:
    """Whether it can stand in the angle brackets that enclose it."""
    return _is_plain(text) and not (" " in text or "<" in text or ">" in text)


def date_field(instant: datetime) -> bytes:
    """The Date field; the instant is aware, its zone is kept (RFC 5322 3.3)."""
    if instant.tzinfo is None:
        raise ValueError("a message's date needs a time zone")
    return f"Date: {format_datetime(instant)}\r\n".encode("ascii")


def list_id_field(list_id: str, title: str) -> bytes:
    r"""
    The list's identity: a phrase for people, the id for filters (RFC 2919).

    >>> list_id_field("brief.quito.example", "Brief Internacional")
    b'List-Id: Brief Internacional <brief.quito.example>\r\n'
    """
    raw_field("List-Id", list_id)
    return _after_phrase("List-Id", " ".join(refuse_breaks(title, "List-Id").split()), list_id)


def wire_address(address: str) -> str:
    """
    The address with its domain in ASCII (RFC 5891); a local part outside ASCII stays, and asks for SMTPUTF8 (RFC 6531).

    >>> wire_address("prensa@nabón.example")
    'prensa@xn--nabn-sqa.example'
    """
    return address if address.isascii() else _with_ascii_domain(address)


@lru_cache(maxsize=1024)
def _with_ascii_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    from email_validator import EmailNotValidError, validate_email

    try:
        checked = validate_email(f"x@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError as problem:
        raise Unwritable(f"the domain {domain} has no ASCII form: {problem}") from None
    return f"{local}@{checked.ascii_domain}"


def _after_phrase(field: str, phrase: str, spec: str) -> bytes:
    """A field of a phrase and what it names in angle brackets, on a line of its own if it must be."""
    written = _phrase(phrase, len(field) + 2)
    last_line = f"{field}: {written}".rpartition("\n")[2]
    gap = " " if len(last_line) + len(spec) + 3 <= _WIDTH else "\r\n "
    return f"{field}: {written}{gap}<{spec}>\r\n".encode()


def _phrase(name: str, used: int) -> str:
    """A display name: bare, quoted or encoded, whichever it can be first (RFC 5322 3.2.5, RFC 2047 5 (3))."""
    if "=?" not in name and used + len(name) + 2 <= _WIDTH:
        if not name or _ATOMS.fullmatch(name):
            return name
        if _PRINTABLE.fullmatch(name):
            return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return _encoded_words(name, used)


def _encoded_words(text: str, used: int) -> str:
    """
    The text with what is not plain in encoded words, folded so that no line is longer than 76.

    White space between two encoded words is no part of the text (RFC 2047 6.2), so plain words stay plain where they
    can: folding then falls on real spaces, which every reader's program gets right.
    """
    room = _WIDTH - used - len(_OPENING) - 2
    whole = "".join([_PIECES[char] for char in text])
    if len(whole) <= room:
        return f"{_OPENING}{whole}?="
    lines: list[str] = []
    width = used
    for group, is_plain in _groups(text, room):
        for word in [group] if is_plain else _split_words(group, room):
            if lines and width + 1 + len(word) <= _WIDTH:
                lines[-1] += f" {word}"
                width += 1 + len(word)
            else:
                width = len(word) + (1 if lines else used)
                lines.append(word)
    return "\r\n ".join(lines)


def _groups(text: str, room: int) -> list[tuple[str, bool]]:
    """Plain words one by one, runs of others together, so that no space between encoded words is lost."""
    if "  " in text or text != text.strip():
        return [(text, False)]
    groups: list[tuple[str, bool]] = []
    for word in text.split(" "):
        is_plain = len(word) <= room and "=?" not in word and _ATOMS.fullmatch(word) is not None
        if groups and not is_plain and not groups[-1][1]:
            groups[-1] = f"{groups[-1][0]} {word}", False
        else:
            groups.append((word, is_plain))
    return groups


def _split_words(text: str, room: int) -> list[str]:
    """Encoded words for the text; no character is split between two (RFC 2047 5)."""
    words, word = [], ""
    for piece in [_PIECES[char] for char in text]:
        if len(word) + len(piece) > room:
            words.append(word)
            word = ""
        word += piece
    return [f"{_OPENING}{word}?=" for word in [*words, word]]


class _Pieces(dict[str, str]):
    """How each character is written in an encoded word; filled as they come."""

    def __missing__(self, char: str) -> str:
        if char in _SAFE_IN_WORD:
            piece = char
        else:
            piece = "_" if char == " " else "".join(f"={octet:02X}" for octet in char.encode())
        return self.setdefault(char, piece)


_PIECES: Final = _Pieces()
