"""What was understood of one returned mail: its kind, and what it says of each recipient."""

import re
from enum import StrEnum
from typing import Final

import msgspec

from mailer.feedback.addresses import addresses_in, same
from mailer.feedback.reason import HARD, Reason, is_firm, is_hard, reason_of, settle_status

_VAGUE = re.compile(r"\d\.\d{1,3}\.0\Z")
# Weak words ("rejected", "service error") stand in many answers whose status is plainer than they are.
_WEAK: Final = frozenset({Reason.POLICY, Reason.SYSTEM, Reason.SYNTAX})
_MAX_DIAGNOSIS: Final = 1_000


class Kind(StrEnum):
    """What a returned mail is."""

    BOUNCE = "bounce"
    DELAY = "delay"
    COMPLAINT = "complaint"
    VACATION = "vacation"
    NONE = "none"


class Finding(msgspec.Struct, frozen=True):
    """
    One recipient of a returned mail: what was written to, the enhanced status (may be empty), why, and the words.

    `passed_on` says that the address took the message, and that who failed is another mailbox behind it.
    """

    address: str
    status: str = ""
    reason: Reason = Reason.UNCLEAR
    hard: bool = False
    diagnosis: str = ""
    passed_on: bool = False


class Understanding(msgspec.Struct, frozen=True):
    """A returned mail as understood; `message_id` and `written_to` are those of the message of ours that came back."""

    kind: Kind
    recipients: tuple[Finding, ...] = ()
    message_id: str = ""
    written_to: tuple[str, ...] = ()


def judge(
    address: str, *, status: str = "", diagnosis: str = "", context: tuple[str, ...] = (), ours: tuple[str, ...] = ()
) -> Finding:
    """
    Say why one recipient failed: from the diagnosis, then a specific status, then the words around it in their order.

    `ours` are addresses of ours: a diagnosis that names one, and not the recipient, is about the sender.

    >>> judge("ana@gad.example", status="5.0.0", diagnosis="smtp; 550 5.1.1 no such user").hard
    True
    >>> judge("ana@gad.example", status="4.4.7", context=("message expired",)).reason.value
    'expired'
    """
    texts = [text for text in (diagnosis, *context) if text]
    words = texts[0] if texts else ""
    status = settle_status(status, words)
    # RFC 5321's "mailbox unavailable" means a missing one only where no status says that it is disabled or a rule's.
    reason = reason_of(diagnosis, "" if _VAGUE.match(status) else status)
    by_status = reason_of("", status)
    may_yield = reason is Reason.UNCLEAR or (reason in _WEAK and not is_firm(diagnosis))
    if may_yield and by_status is not Reason.UNCLEAR and not _VAGUE.match(status):
        reason = by_status
    for text in texts:
        if reason is Reason.UNCLEAR:
            reason = reason_of(text)
    if reason is Reason.UNCLEAR:
        reason = reason_of(words, status)
    if reason in HARD and ours and _is_about(ours, words, address):
        reason = Reason.AUTH
    return Finding(
        address=address,
        status=status,
        reason=reason,
        hard=is_hard(reason, status, words),
        diagnosis=" ".join(words[: 4 * _MAX_DIAGNOSIS].split())[:_MAX_DIAGNOSIS],
    )


def _is_about(ours: tuple[str, ...], words: str, recipient: str) -> bool:
    named = addresses_in(words[: 4 * _MAX_DIAGNOSIS])
    return any(same(one, named) for one in ours) and not same(recipient, named)


_FURTHER_LINES: Final = 30
_MAX_WORDS: Final = 60_000
_LEAST_WORDS: Final = 500


def about_each(words: str, addresses: list[str]) -> dict[str, str]:
    r"""
    The lines on each recipient: from where it is named to the next recipient, and each later line that names it.

    >>> about_each("Sorry\n<ana@gad.example>: gone\n<ben@gad.example>: full", ["ana@gad.example", "ben@gad.example"])
    {'ana@gad.example': '<ana@gad.example>: gone', 'ben@gad.example': '<ben@gad.example>: full'}
    """
    lines: dict[str, list[str]] = {address.casefold(): [] for address in addresses}
    current: set[str] = set()
    following = 0
    for line in words.splitlines():
        if named := {address.casefold() for address in addresses_in(line)} & lines.keys():
            current, following = named, _FURTHER_LINES
        if following:
            following -= 1
            for key in current:
                lines[key].append(line)
    share = max(_LEAST_WORDS, _MAX_WORDS // max(len(lines), 1))  # many recipients: fewer words of each
    return {address: "\n".join(lines[address.casefold()][: 4 * _FURTHER_LINES])[:share] for address in addresses}


def softened(found: Finding) -> Finding:
    """The finding of a delay: whatever the words, nothing is settled yet."""
    return msgspec.structs.replace(found, hard=False)


def once_each(found: list[Finding]) -> tuple[Finding, ...]:
    """The findings, one an address; the one that says more wins."""
    kept: dict[str, Finding] = {}
    for finding in found:
        key = finding.address.casefold()
        known = kept.get(key)
        if known is None or (known.reason is Reason.UNCLEAR and finding.reason is not Reason.UNCLEAR):
            kept[key] = finding
    return tuple(kept.values())
