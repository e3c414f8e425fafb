"""
Tokens in links and envelope addresses: purpose-bound, keyed, and silent about whom they name.

A token is `<kid><payload>.<mac>`: the key's id, an opaque payload (a number, never an address) and an HMAC-SHA256
over purpose and payload, cut to 128 bits. A token made for one purpose is worth nothing for another.
"""

import hashlib
import hmac
import secrets
import uuid
from base64 import b32encode
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Any, Final

_BLOCK: Final = 64  # of SHA-256
_MAC_DIGITS: Final = 32  # 128 bits; hexadecimal, so that a token survives folding to lower case


class InvalidToken(ValueError):
    """The token was not made here, or for this purpose; it is never said which."""


def new_secret() -> str:
    """A fresh secret of 256 bits, as text."""
    return secrets.token_urlsafe(32)


def new_salt() -> str:
    """Sixteen hexadecimal digits that nobody can guess."""
    return secrets.token_hex(8)


def any_number(below: int) -> int:
    """A number from 0 on that nobody can guess."""
    return secrets.randbelow(below)


def new_key() -> str:
    """A key that nothing had before: a random UUID (RFC 9562)."""
    return str(uuid.uuid4())


def kept_secret(path: Path) -> str:
    """
    The secret in a file that only its owner may read; it is made when it is missing.

    Two processes that begin at once read the same one: it appears whole, and the first to put it there wins.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(new_secret(), encoding="ascii")
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text(encoding="ascii").strip()


class _Mac:
    """
    HMAC-SHA256 (RFC 2104) with the key's blocks hashed once.

    `hmac.digest` lets go of the interpreter's lock for each of its few microseconds, and beside a busy thread waits far
    longer to get it back; four tokens a message made that the dearest part of one.
    """

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in block))
        self._outer = hashlib.sha256(bytes(octet ^ 0x5C for octet in block))

        self._begun: dict[str, Any] = {}

    def __call__(self, opening: str, message: str) -> str:
        """
        The code of a message, in hexadecimal; what many messages open with is hashed once.

        >>> _Mac(b"key")("The quick brown fox ", "jumps over the lazy dog")[:16]
        'f7bc83f430538424'
        """
        if opening not in self._begun:
            self._begun[opening] = self._inner.copy()
            self._begun[opening].update(opening.encode())
        inner, outer = self._begun[opening].copy(), self._outer.copy()
        inner.update(message.encode())
        outer.update(inner.digest())
        return str(outer.hexdigest())


class Signer:
    """
    Signs payloads and reads them back.

    The first secret signs; the others are still accepted, so that secrets can be changed without breaking links.

    >>> signer = Signer(["first secret"])
    >>> signer.read("unsubscribe", signer.sign("unsubscribe", "42"))
    '42'
    """

    def __init__(self, keys: list[str]) -> None:
        if not keys or not all(keys):
            raise ValueError("a signer needs at least one secret")
        self._keys = {self._key_id(key): key.encode() for key in reversed(keys)}
        self._macs = {key_id: _Mac(key) for key_id, key in self._keys.items()}
        self._current = self._key_id(keys[0])

    @property
    def current(self) -> str:
        """The id of the secret that signs."""
        return self._current

    def knows(self, key_id: str) -> bool:
        """Whether the secret of that id is one of ours."""
        return key_id in self._macs

    def preferring(self, key_id: str) -> "Signer":
        """The same secrets, but the one of that id signs, if it is still known: what was begun with it goes on so."""
        if not self.knows(key_id):
            return self
        other = copy(self)
        other._current = key_id  # noqa: SLF001 - a copy of ours
        return other

    @staticmethod
    def _key_id(key: str) -> str:
        return b32encode(hashlib.sha256(b"key id:" + key.encode()).digest()[:2]).decode().rstrip("=").lower()[:3]

    def _mac(self, key_id: str, purpose: str, payload: str) -> str:
        return self._macs[key_id](f"{purpose}\0", payload)[:_MAC_DIGITS]

    def sign(self, purpose: str, payload: str) -> str:
        """A token for `payload` (letters, digits, hyphens), good for `purpose` alone."""
        return f"{self._current}-{payload}.{self._mac(self._current, purpose, payload)}"

    def seals(self, purpose: str, text: str) -> tuple[str, ...]:
        """Keyed hashes of a text, the current secret's first: to recognise what must not be kept."""
        return tuple(self._mac(key_id, f"seal {purpose}", text) for key_id in (self._current, *self._others()))

    def _others(self) -> list[str]:
        return [key_id for key_id in self._macs if key_id != self._current]

    def read(self, purpose: str, token: str) -> str:
        """
        The payload of a token that was signed for `purpose`.

        Raises:
            InvalidToken: Anything else, with no word of why.

        """
        head, _, mac = token.lower().rpartition(".")
        key_id, _, payload = head.partition("-")
        if key_id not in self._macs or not hmac.compare_digest(
            mac.encode(), self._mac(key_id, purpose, payload).encode()
        ):
            raise InvalidToken("this link is not valid")
        return payload
