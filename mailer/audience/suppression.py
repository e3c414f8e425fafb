"""
Addresses and domains that must not be written to, and the lists of them that services export.

A domain is written with an @ before it: `@nabon.example`.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from mailer.address import InvalidAddress, address_key, parse_address
from mailer.audience.folding import fold
from mailer.audience.importing.encoding import Unreadable, encoding_of
from mailer.audience.importing.rejects import disarmed
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
_LARGEST: Final = 64 << 20
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
    until: datetime | None = None


Format = Literal["plain", "csv", "ses", "sendgrid"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "plain", "ses", "sendgrid")
_AT_SES: Final = {"complaint": "COMPLAINT"}


def written(found: Iterable[Suppression], form: Format) -> Iterator[str]:
    """
    The list as a service or another program reads it, line by line; `ses` and `sendgrid` know no domains.

    A cell that would start a formula in a spreadsheet is disarmed.
    """
    if form == "plain":
        yield from (f"{each.address}\n" for each in found)
    elif form == "ses":
        yield from _ses(found)
    else:
        sheet = io.StringIO()
        writer = csv.writer(sheet, lineterminator="\n")
        writer.writerow(["email", "created"] if form == "sendgrid" else ["email", "reason", "since", "until", "note"])
        for each in found:
            if form == "csv":
                until = each.until.isoformat() if each.until else ""
                address = each.address if each.address.startswith("@") else disarmed(each.address)
                writer.writerow([address, each.reason, each.since.isoformat(), until, disarmed(each.note)])
            elif not each.address.startswith("@"):
                writer.writerow([disarmed(each.address), int(each.since.timestamp())])
            yield sheet.getvalue()
            sheet.seek(0)
            sheet.truncate()
        yield sheet.getvalue()


def _ses(found: Iterable[Suppression]) -> Iterator[str]:
    """One JSON document, as `aws sesv2 list-suppressed-destinations` gives it."""
    separator = '{"SuppressedDestinationSummaries": [\n'
    for each in found:
        if not each.address.startswith("@"):
            entry = {"EmailAddress": each.address, "Reason": _AT_SES.get(each.reason, "BOUNCE")}
            yield separator + json.dumps(entry | {"LastUpdateTime": each.since.isoformat()})
            separator = ",\n"
    yield ("" if separator == ",\n" else separator) + "\n]}\n"


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
        if path.exists() and not path.is_file():
            raise AuthorError("that is no plain file; save the list to one first", path)
        if path.stat().st_size > _LARGEST:
            raise AuthorError("the list has more than 64 MB; split it", path)
        data = path.read_bytes()
    except OSError as problem:
        raise AuthorError(f"the list can't be read ({problem.strerror})", path) from None
    try:
        encoding = encoding_of([data])
    except Unreadable as problem:
        raise AuthorError(str(problem), path) from None
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    rows = _json_rows(text, path) if text.lstrip()[:1] in ("{", "[") else _text_rows(text, path)
    listed: list[Listed] = []
    wrong: list[tuple[int, str]] = []
    for line, address, reason, *until in rows:
        try:
            why = _WORDS.get(fold(reason).replace(" ", ""), default)
            listed.append(Listed(suppression_key(address), why, reason, _instant(until[0] if until else "")))
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


def _text_rows(text: str, path: Path) -> Iterator[tuple[int, str, str] | tuple[int, str, str, str]]:
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
    ends = _first(headings, ("until", "hasta"))
    for row in reader:
        if row.get(address):
            yield reader.line_num, row[address].removeprefix("'"), row.get(reason) or "", row.get(ends) or ""


def _instant(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        until = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Refused(f"{text[:40]!r} is no day; write it as 2027-01-31") from None
    return until if until.tzinfo else until.replace(tzinfo=UTC)


def _first(found: dict[str, str], names: Iterable[str]) -> str:
    return next((found[name] for name in names if name in found), "")
