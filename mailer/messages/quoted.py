"""
Quoted-printable made to be cut and joined (RFC 2045 6.7).

Runs of text that are encoded apart can be put one after the other: each run begins at column 0, because the run before
it ends in a line break or a soft one. No line is longer than 76 octets; none begins with a dot, so SMTP's dot-stuffing
is never needed (RFC 5321 4.5.2), nor with `From `, which mailbox files mangle.
"""

import re
from binascii import b2a_qp
from typing import Final

_WIDTH: Final = 75  # and one more octet for the soft break's "="
_C_SOFT_BREAK: Final = b"=\n"
_AWKWARD: Final = (b".", b"F")
_SOFT_BREAK: Final = b"=\r\n"
_LINE_BREAK: Final = re.compile(r"\r\n?|\n")
_HEX: Final = [b"=%02X" % octet for octet in range(256)]
_PRINTABLE: Final = frozenset(range(0x20, 0x7F)) - {ord("=")}
_TOKENS: Final = [bytes([octet]) if octet in _PRINTABLE else _HEX[octet] for octet in range(256)]


def quote_text(text: str) -> bytes:
    r"""
    Lines of text as lines on the wire; what stands behind the last line break is left open with a soft break.

    >>> quote_text("mañana\n.x")
    b'ma=C3=B1ana\r\n=2Ex=\r\n'
    """
    *lines, rest = _LINE_BREAK.split(text)
    quoted = b"".join(_closed(_fold(line.encode())) + b"\r\n" for line in lines)
    return quoted + _fold(rest.encode()) + _SOFT_BREAK if rest else quoted


def quote_value(value: str) -> bytes:
    r"""
    A value without line breaks, as a run of its own; nothing for an empty value.

    >>> quote_value("Señora Embajadora")
    b'Se=C3=B1ora Embajadora=\r\n'
    """
    if not value:
        return b""
    octets = value.encode()
    # The C encoder is many times faster, but it ends its lines in LF and knows nothing of dots and of `From `.
    quoted = b2a_qp(octets, istext=False)
    is_awkward = quoted.startswith(_AWKWARD) or b"\n." in quoted or b"\nF" in quoted
    if not is_awkward and len(quoted) - quoted.rfind(b"\n") - 1 <= _WIDTH:
        return quoted.replace(_C_SOFT_BREAK, _SOFT_BREAK) + _SOFT_BREAK
    return _fold(octets) + _SOFT_BREAK


def _fold(octets: bytes) -> bytes:
    lines, line = [], b""
    for index, octet in enumerate(octets):
        token = _TOKENS[octet]
        if len(line) + len(token) > _WIDTH:
            lines.append(line)
            line = b""
        if not line and (token == b"." or octets.startswith(b"From ", index)):
            token = _HEX[octet]
        line += token
    return _SOFT_BREAK.join([*lines, line])


def _closed(quoted: bytes) -> bytes:
    """White space at the end of a line may get lost on the way, so it is encoded (RFC 2045 6.7 (3))."""
    if not quoted.endswith(b" "):
        return quoted
    last = quoted.rpartition(b"\n")[2]
    if len(last) + 2 > _WIDTH + 1:
        return quoted[:-1] + _SOFT_BREAK + b"=20"
    return quoted[:-1] + b"=20"
