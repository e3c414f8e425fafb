"""
DKIM signatures (RFC 6376, RFC 8301, RFC 8463): `relaxed/simple`, RSA-2048 or Ed25519.

The body is `simple`, so that its hash is a plain SHA-256 of what goes on the wire. Of the header, what is the same for
every reader is canonicalised once, in a `Seal`; a message adds its own few fields.

The cryptography is loaded by the first who has a key: an issue that is only looked at is signed by nobody.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from mailer.errors import OperatorError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

# Signed once more than they stand in the message, so that nobody can add a second one (RFC 6376 8.15).
OVERSIGNED: Final = (b"from", b"to", b"subject")
_SPACES: Final = re.compile(rb"[ \t]+")
_FIELD_END: Final = re.compile(rb"\r\n(?![ \t])")
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_DNS_STRING: Final = 255  # RFC 1035 3.3.14: the longest string of a TXT record


class KeyPair(msgspec.Struct, frozen=True):
    """A fresh key: the private part as PEM, and the DNS record to publish."""

    private_pem: str
    name: str
    record: str

    @property
    def zone_line(self) -> str:
        """The record as a line of a zone file, cut into strings of at most 255 characters."""
        strings = [self.record[start : start + _DNS_STRING] for start in range(0, len(self.record), _DNS_STRING)]
        quoted = " ".join(f'"{string}"' for string in strings)
        return f"{self.name}. IN TXT ( {quoted} )"


class Key:
    """A domain's signing key under its selector."""

    def __init__(self, domain: str, selector: str, private: "PrivateKey") -> None:
        from cryptography.hazmat.primitives.asymmetric import rsa

        if not _LABEL.fullmatch(domain) or not _LABEL.fullmatch(selector):
            raise OperatorError(f"DKIM: {selector}._domainkey.{domain} is no DNS name; mend the domain or the selector")
        if isinstance(private, rsa.RSAPrivateKey) and private.key_size < 1024:  # noqa: PLR2004 - RFC 8301 3.2
            raise OperatorError("DKIM: the RSA key is shorter than 1024 bits, which nobody accepts; make another")
        self.domain = domain
        self.selector = selector
        self._private = private

    @classmethod
    def load(cls, pem: str | bytes, *, domain: str, selector: str) -> "Key":
        """
        Read a private key in PEM.

        Raises:
            OperatorError: It is no unencrypted RSA or Ed25519 key.

        """
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

        octets = pem.encode() if isinstance(pem, str) else pem
        try:
            private = serialization.load_pem_private_key(octets, password=None)
        except (ValueError, TypeError) as problem:
            raise OperatorError(f"the DKIM key of {domain} can't be read: {problem}") from None
        if not isinstance(private, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
            raise OperatorError(f"the DKIM key of {domain} is neither RSA nor Ed25519; make one with keygen")
        return cls(domain, selector, private)

    @property
    def algorithm(self) -> str:
        """The value of the signature's `a=`."""
        from cryptography.hazmat.primitives.asymmetric import rsa

        return "rsa-sha256" if isinstance(self._private, rsa.RSAPrivateKey) else "ed25519-sha256"

    @property
    def name(self) -> str:
        """Where receivers look the public part up (RFC 6376 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """The TXT record that publishes the public part under `name` (RFC 6376 3.6.1)."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        public = self._private.public_key()
        if not isinstance(public, rsa.RSAPublicKey):
            return f"v=DKIM1; k=ed25519; p={b64encode(public.public_bytes_raw()).decode()}"
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return f"v=DKIM1; k=rsa; p={b64encode(public.public_bytes(serialization.Encoding.DER, form)).decode()}"

    def sign(self, data: bytes) -> bytes:
        """The raw signature over `data`; Ed25519 signs its SHA-256 (RFC 8463 3)."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa

        if isinstance(self._private, rsa.RSAPrivateKey):
            return self._private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self._private.sign(sha256(data).digest())

    def seal(self, fields: Sequence[bytes], own: Sequence[str] = ("To", "Message-ID", "List-Unsubscribe")) -> "Seal":
        """
        Prepare to sign messages that share `fields` (whole header lines) and bring the fields named in `own`.

        `own` are signed in the order in which `Seal.field` gets them.
        """
        names = [field.partition(b":")[0].strip().lower() for field in fields]
        names += [name.lower().encode() for name in own]
        signed = b":".join([*names, *OVERSIGNED])
        opening = (
            f"DKIM-Signature: v=1; a={self.algorithm}; c=relaxed/simple;\r\n d={self.domain}; s={self.selector};\r\n h="
        ).encode("ascii") + _folded_names(signed)
        return Seal(key=self, constant=b"".join(map(relaxed, fields)), opening=opening + b";\r\n bh=")


class Seal(msgspec.Struct, frozen=True):
    """A key bound to the header fields that are the same in every message."""

    key: Key
    constant: bytes
    opening: bytes

    def field(self, own: Sequence[bytes], body_hash: bytes) -> bytes:
        """The DKIM-Signature field of one message, of its own header lines and the SHA-256 of its body."""
        unsigned = self.opening + b64encode(body_hash) + b";\r\n b="
        signed = b"".join((self.constant, *map(relaxed, own), relaxed(unsigned)[:-2]))
        signature = b64encode(self.key.sign(signed))
        lines = [signature[start : start + 72] for start in range(0, len(signature), 72)]
        return unsigned + b"\r\n ".join(lines) + b"\r\n"


def sign(fields: Sequence[bytes], body: bytes, keys: Sequence[Key]) -> bytes:
    """
    The signature fields for a single message that shares nothing with others: a notice, an alert.

    `body` is all behind the empty line, in CRLF, without empty lines at its end.
    """
    body_hash = sha256(body).digest()
    return b"".join(key.seal(fields, own=()).field((), body_hash) for key in keys)


def signed(content: bytes, keys: Sequence[Key]) -> bytes:
    """A finished message, its signatures before it; without keys as it was."""
    if not keys:
        return content
    head, _, body = content.partition(b"\r\n\r\n")
    fields = [field + b"\r\n" for field in _FIELD_END.split(head)]
    return sign(fields, body.rstrip(b"\r\n") + b"\r\n", keys) + content


def relaxed(field: bytes) -> bytes:
    r"""
    A header line in relaxed form (RFC 6376 3.4.2).

    >>> relaxed(b"Subject:  Brief\r\n de  noviembre \r\n")
    b'subject:Brief de noviembre\r\n'
    """
    name, _, value = field.partition(b":")
    return b"%s:%s\r\n" % (name.strip().lower(), _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip())


def keygen(domain: str, selector: str, *, kind: str = "rsa") -> KeyPair:
    """Make a key ("rsa": RSA-2048, or "ed25519") and the DNS record that publishes it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    if kind not in {"rsa", "ed25519"}:
        raise OperatorError(f"there is no DKIM key of the kind {kind}; choose rsa or ed25519")
    private: PrivateKey = (
        ed25519.Ed25519PrivateKey.generate()
        if kind == "ed25519"
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    key = Key(domain, selector, private)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return KeyPair(private_pem=pem, name=key.name, record=key.record)


def _folded_names(names: bytes) -> bytes:
    """The `h=` list, folded behind its colons: white space may stand there (RFC 6376 3.5)."""
    lines, line = [], b""
    for name in names.split(b":"):
        if line and len(line) + len(name) > 70:  # noqa: PLR2004 - leaves room for what stands before it
            lines.append(line)
            line = b""
        line += name + b":"
    return b"\r\n  ".join([*lines, line]).removesuffix(b":")
