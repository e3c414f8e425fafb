"""
E-mail addresses: read, cleaned of what breaks headers, and compared.

An address is kept as it was written (the local part belongs to its host, RFC 5321 2.4) and compared by its
`key`: case folded, the domain in its ASCII form (RFC 5890).
"""

import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from email.errors import MessageError
from email.headerregistry import Address as HeaderAddress
from email.headerregistry import HeaderRegistry
from email.policy import SMTP
from email.utils import parseaddr
from functools import lru_cache

import msgspec

# Dot-atoms of the common kind and host names of letters, digits and hyphens: what nearly every address is.
_PLAIN = re.compile(
    r"(?=.{6,254}\Z)(?=[^@]{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}\Z"
)
# The same of many, one a line, and their domains in lower case; only for addresses that are short all in all.
_PLAIN_LINES = re.compile(
    r"(?:[A-Za-z0-9_+-]++(?:\.[A-Za-z0-9_+-]++)*+@(?:[a-z0-9]++(?:-[a-z0-9]++)*+\.)+[a-z]{2,63}\n)*+\Z"
)
# A local part that stands as it is written, whatever its letters: a dot-atom (RFC 5322 3.2.3, RFC 6531 3.3).
_ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*\Z")
# Host names in letters that stand as they are in IDNA (RFC 5892), judged without its tables: the small ones of western
# European languages (not ß, which once was ss), Greek (not the final sigma) and Cyrillic, kana, Hangul, Chinese.
_LETTERS = "a-z0-9à-öø-ÿά-ρσ-ώа-џぁ-ゖァ-ヺ가-힣一-龥"
_STANDING_LABEL = re.compile(f"[{_LETTERS}]+(?:-[{_LETTERS}]+)*\\Z")
_TOP_LEVEL = re.compile(r"[a-z]{2,63}\Z")
_LABEL = 63  # octets of a label (RFC 1035 2.3.4), in its ASCII form here
_SHORT = 64
_LONGEST = 254  # octets of an address, be its domain in UTF-8 or in ASCII (RFC 5321 4.5.3.1.3, less the brackets)
_REMEMBERED = 500
_UNFOLDED = SMTP.clone(max_line_length=998)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


class InvalidAddress(ValueError):
    """The text is no e-mail address; the message says why, in words for a person."""


def parse_address(text: str) -> str:
    """
    The address in `text`, its domain in lower case, or an error that says what is wrong.

    A conservative pattern takes the common case; email-validator judges the rest (RFC 5321, 6531), without DNS.

    >>> parse_address("Alcaldia@Nabon.example")
    'Alcaldia@nabon.example'

    Raises:
        InvalidAddress: The text is no deliverable form of an address.

    """
    if plain := plain_address(text):
        return plain
    if _CONTROL.search(text):
        raise InvalidAddress("the address holds a line break or another control character")
    local, _, domain = text.rpartition("@")
    if domain and _stands(local):  # many share a host, whose name is what takes long to judge
        host, problem = plain_address(f"a@{domain}"), ""
        if host is None and _standing_form(domain):
            host = f"a@{domain}"
        if host is None:
            host, problem = _judged(f"a@{domain}")
        if problem or _octets(local, host[2:]) <= _LONGEST:
            return _found(f"{local}{host[1:]}", problem)
    return _found(*_judged(text))


def plain_address(text: str) -> str | None:
    """
    The address in `text` if it is of the common kind, its domain in lower case; None leaves the judgement open.

    >>> plain_address("Prensa@Quito.example"), plain_address("jos\u00e9@quito.example")
    ('Prensa@quito.example', None)
    """
    if _PLAIN.match(text):
        local, _, domain = text.rpartition("@")
        if "--" not in domain[2:4]:
            return f"{local}@{domain.lower()}"
    return None


@lru_cache(1 << 14)
def _standing_form(domain: str) -> str | None:
    """The ASCII form of a host name that is short and in letters which IDNA leaves as they are; None if it isn't."""
    *labels, top = domain.split(".")
    if not labels or len(domain) > _SHORT or not all(map(_STANDING_LABEL.match, (*labels, top))):
        return None
    forms = [x if x.isascii() else f"xn--{x.encode('punycode').decode()}" for x in (*labels, top)]
    is_top = _TOP_LEVEL.match(top) if top.isascii() else forms[-1][-1].isalpha()  # they all end with a letter
    return ".".join(forms) if is_top and max(map(len, forms)) <= _LABEL else None


def _octets(local: str, domain: str) -> int:
    """How long an address is in the longer of its forms."""
    return len(local.encode()) + 1 + max(len(domain.encode()), len(_ascii(domain)))


def _found(address: str, problem: str) -> str:
    if problem:
        raise InvalidAddress(problem)
    return address


def _stands(local: str) -> bool:
    """Whether email-validator would take the local part as it stands, told without it."""
    return (
        len(local) <= _SHORT
        and _ATOMS.match(local) is not None
        and (local.isascii() or unicodedata.is_normalized("NFC", local))
    )


def _judged(text: str) -> tuple[str, str]:
    return _validated(text) if len(text) <= _REMEMBERED else _validated.__wrapped__(text)


@lru_cache(1 << 12)
def _validated(text: str) -> tuple[str, str]:
    """What email-validator makes of an address: its normal form, or what is wrong with it."""
    # Most addresses are plain, and what judges the others takes long to load.
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized, ""
    except EmailNotValidError as problem:
        return "", str(problem).rstrip(".")


def are_plain(texts: Sequence[str]) -> bool:
    """
    Whether each text is an address that `parse_address` would give back as it stands, told of all at once.

    >>> are_plain(["prensa@nabon.example", "Ana@quito.example"]), are_plain(["prensa@Nabon.example"])
    (True, False)
    """
    lines = "\n".join([*texts, ""])
    is_short = max(map(len, texts), default=0) <= _SHORT and lines.count("\n") == len(texts)
    return is_short and _PLAIN_LINES.match(lines) is not None


def address_key(address: str) -> str:
    """
    What two spellings of one address have in common.

    >>> address_key("Prensa@Quito.EXAMPLE") == address_key("prensa@quito.example")
    True
    """
    local, _, domain = address.rpartition("@")
    return f"{local.casefold()}@{_ascii(domain)}"


def _ascii(domain: str) -> str:
    """The host name as it is looked up (RFC 5890)."""
    if domain.isascii():
        return domain.casefold()
    if form := _standing_form(domain):
        return form
    return _looked_up(domain)


@lru_cache(1 << 10)
def _looked_up(domain: str) -> str:
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode()
    return domain.casefold()


def domain_of(address: str) -> str:
    """
    The part behind the `@`, in lower case.

    >>> domain_of("prensa@Quito.example")
    'quito.example'
    """
    return address.rpartition("@")[2].lower()


class Mailbox(msgspec.Struct, frozen=True):
    """A name and an address, as in a From header (RFC 5322 3.4)."""

    name: str
    address: str

    @classmethod
    def parse(cls, text: str) -> "Mailbox":
        """
        Read `Name <address>` or a bare address.

        >>> Mailbox.parse("Redacción <redaccion@quito.example>").name
        'Redacción'

        Raises:
            InvalidAddress: There is no address in it, or more than one.

        """
        if _CONTROL.search(text):
            raise InvalidAddress("the address holds a line break or another control character")
        name, address = parseaddr(text)
        if not address:
            raise InvalidAddress(f"{text!r} holds no e-mail address; write it as Name <name@host>")
        return cls(name=name, address=parse_address(address))

    def header(self) -> str:
        """
        The mailbox as the value of an ASCII header, encoded by RFC 2047 where it must be.

        >>> Mailbox("Redacción", "redaccion@quito.example").header()
        '=?utf-8?q?Redacci=C3=B3n?= <redaccion@quito.example>'
        """
        try:
            spec = str(HeaderAddress(self.name, addr_spec=self.address))
        except (MessageError, ValueError):
            return self.address
        return HeaderRegistry()("From", spec).fold(policy=_UNFOLDED).removeprefix("From: ").strip()

    def __str__(self) -> str:
        return str(HeaderAddress(self.name, addr_spec=self.address)) if self.name else self.address
