"""
Addresses and domains that must not be written to, and the lists of them that services export.

A domain is written with an @ before it: `@nabon.example`.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from mailer.address import InvalidAddress, address_key, parse_address
from mailer.audience.folding import fold
from mailer.audience.importing.encoding import encoding_of
from mailer.errors import AuthorError, Refused

Reason = Literal["bounce", "complaint", "asked", "legal"]
REASONS: Final[tuple[Reason, ...]] = ("bounce", "complaint", "asked", "legal")
_WORDS: Final[dict[str, Reason]] = {
    "bounce": "bounce", "bounces": "bounce", "hardbounce": "bounce", "hard": "bounce", "blocked": "bounce",
    "invalid": "bounce", "rebote": "bounce", "complaint": "complaint", "spam": "complaint", "spamreport": "complaint",
    "abuse": "complaint", "queja": "complaint", "asked": "asked", "unsubscribe": "asked", "unsubscribed": "asked",
    "manual": "asked", "baja": "asked", "legal": "legal",
}  # fmt: skip
_ADDRESS_HEADINGS: Final = ("email", "emailaddress", "correo", "address", "recipient", "key", "direccion")
_REASON_HEADINGS: Final = ("reason", "type", "motivo", "event")


class Suppression(msgspec.Struct, frozen=True):
    """One address or `@domain` that must not be written to, why, since when, and until when if not for good."""

    address: str
    reason: Reason
    note: str
    since: datetime
    until: datetime | None = None


class Listed(msgspec.Struct, frozen=True):
    """A line of somebody's suppression list."""

    address: str
    reason: Reason
    note: str = ""


def suppression_key(text: str) -> str:
    """
    The key under which an address or `@domain` is suppressed.

    >>> suppression_key("Prensa@Nabon.example"), suppression_key("@Nabon.example")
    ('prensa@nabon.example', '@nabon.example')

    Raises:
        Refused: It is neither.

    """
    text = text.strip()
    try:
        if text.startswith("@"):
            return address_key(parse_address(f"x{text}"))[1:]
        return address_key(parse_address(text))
    except InvalidAddress as problem:
        raise Refused(f"{text!r} is no address and no @domain: {problem}") from None


def read_suppressions(path: Path, default: Reason) -> tuple[list[Listed], list[tuple[int, str]]]:
    """
    Read a list: an address a line, a CSV (SendGrid's, SES's, ours), or SES's JSON; with it the lines that are wrong.

    A line that doesn't say why gets `default`.

    Raises:
        AuthorError: The file can't be read, or has no column of addresses.

    """
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise AuthorError(f"the list can't be read ({problem.strerror})", path) from None
    text = data.decode(encoding_of([data]), "replace").removeprefix("\ufeff")
    rows = _json_rows(text, path) if text.lstrip()[:1] in ("{", "[") else _text_rows(text, path)
    listed: list[Listed] = []
    wrong: list[tuple[int, str]] = []
    for line, address, reason in rows:
        try:
            listed.append(Listed(suppression_key(address), _WORDS.get(fold(reason).replace(" ", ""), default), reason))
        except Refused as problem:
            wrong.append((line, str(problem)))
    return listed, wrong


def _json_rows(text: str, path: Path) -> Iterator[tuple[int, str, str]]:
    """SES's `SuppressedDestinationSummaries`, or an array of objects with an address."""
    try:
        document: Any = json.loads(text)
    except ValueError as problem:
        raise AuthorError(f"that is no JSON ({problem})", path) from None
    entries = document.get("SuppressedDestinationSummaries", []) if isinstance(document, dict) else document
    for number, entry in enumerate(entries, 1):
        if isinstance(entry, str):
            yield number, entry, ""
        elif isinstance(entry, dict):
            known = {fold(str(key)).replace(" ", ""): str(value) for key, value in entry.items()}
            yield number, _first(known, _ADDRESS_HEADINGS), _first(known, _REASON_HEADINGS)


def _text_rows(text: str, path: Path) -> Iterator[tuple[int, str, str]]:
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if "@" in first.split(",")[0].split(";")[0]:
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.lstrip().startswith("#"):
                yield number, line.replace(";", ",").split(",")[0].strip().strip('"'), ""
        return
    reader = csv.DictReader(lines, delimiter=";" if first.count(";") > first.count(",") else ",")
    headings = {fold(name).replace(" ", ""): name for name in reader.fieldnames or ()}
    if not _first(headings, _ADDRESS_HEADINGS):
        raise AuthorError("no column is headed email or address", path, 1)
    address, reason = _first(headings, _ADDRESS_HEADINGS), _first(headings, _REASON_HEADINGS)
    for row in reader:
        if row.get(address):
            yield reader.line_num, row[address], row.get(reason) or ""


def _first(found: dict[str, str], names: Iterable[str]) -> str:
    return next((found[name] for name in names if name in found), "")
