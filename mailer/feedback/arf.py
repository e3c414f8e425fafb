"""Complaints in the Abuse Reporting Format (RFC 5965, with 6591's auth-failure, which is no reader's complaint)."""

import re
from typing import Final

from mailer.feedback.addresses import addresses_in, clean, is_machine
from mailer.feedback.finding import Finding, Kind
from mailer.feedback.mime import Part
from mailer.feedback.reason import Reason

_FIELD = re.compile(r"^([A-Za-z-]{2,60})[ \t]{0,10}:[ \t]{0,100}(.{0,2000})$", re.MULTILINE)
_NAMED_BY: Final = ("original-rcpt-to", "removal-recipient", "x-original-to", "redacted-address")
# Providers that don't follow the standard: Microsoft's junk mail reporting names the reader in the returned headers.
_RETURNED_BY: Final = (
    "x-hmxmroriginalrecipient",
    "x-rcpt-to",
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "to",
    "cc",
)
_NO_COMPLAINT: Final = frozenset({"auth-failure", "not-spam", "dmarc"})


def read_arf(mail: Part) -> tuple[Kind, list[Finding]] | None:
    """What a complaint says, or nothing if the mail is none."""
    report = next((part for part in mail.walk() if part.type == "message/feedback-report"), None)
    if report is None:
        return _microsoft(mail)
    fields: dict[str, list[str]] = {}
    for name, value in [*report.headers, *_FIELD.findall(report.text[:100_000])]:
        fields.setdefault(name.lower(), []).append(value)
    if fields.get("feedback-type", ["abuse"])[0].strip().lower() in _NO_COMPLAINT:
        return Kind.NONE, []
    named = [clean(value) for name in _NAMED_BY for value in fields.get(name, [])]
    return Kind.COMPLAINT, _complaints([address for address in named if address] or _returned(mail))


def _microsoft(mail: Part) -> tuple[Kind, list[Finding]] | None:
    returned = [part for part in mail.walk()[1:] if part.header("x-hmxmroriginalrecipient")]
    holds_one = any(part.type == "message/rfc822" for part in mail.walk()[1:])
    if not returned and not (holds_one and "complaint about message from" in mail.header("subject").lower()):
        return None
    return Kind.COMPLAINT, _complaints(_returned(mail))


def _returned(mail: Part) -> list[str]:
    for name in _RETURNED_BY:
        for part in mail.walk()[1:]:
            headers = part.all(name) or [
                value
                for field, value in _FIELD.findall(part.text[:100_000])
                if field.lower() == name and _is_original(part)
            ]
            if found := [address for value in headers for address in addresses_in(value) if not is_machine(address)]:
                return found[:20]
    return []


def _is_original(part: Part) -> bool:
    return part.type in {"text/rfc822-headers", "message/rfc822-headers", "message/rfc822", "message/global-headers"}


def _complaints(addresses: list[str]) -> list[Finding]:
    return [Finding(address=address, reason=Reason.COMPLAINT) for address in dict.fromkeys(addresses)]
