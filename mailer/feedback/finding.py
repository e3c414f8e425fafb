"""What was understood of one returned mail: its kind, and what it says of each recipient."""

import re
from enum import StrEnum
from typing import Final

import msgspec

from mailer.feedback.reason import Reason, is_hard, reason_of, settle_status

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
    """One recipient of a returned mail: what was written to, the enhanced status (may be empty), why, and the words."""

    address: str
    status: str = ""
    reason: Reason = Reason.UNCLEAR
    hard: bool = False
    diagnosis: str = ""


class Understanding(msgspec.Struct, frozen=True):
    """A returned mail as understood; `message_id` is that of the message of ours that came back, where it says."""

    kind: Kind
    recipients: tuple[Finding, ...] = ()
    message_id: str = ""


def judge(address: str, *, status: str = "", diagnosis: str = "", context: str = "") -> Finding:
    """
    Say why one recipient failed: from the diagnosis, then a specific status, then the words around it.

    >>> judge("ana@gad.example", status="5.0.0", diagnosis="smtp; 550 5.1.1 no such user").hard
    True
    >>> judge("ana@gad.example", status="4.4.7", context="message expired").reason.value
    'expired'
    """
    status = settle_status(status, diagnosis or context)
    reason = reason_of(diagnosis)
    by_status = reason_of("", status)
    if by_status is not Reason.UNCLEAR and not _VAGUE.match(status) and reason in {Reason.UNCLEAR, *_WEAK}:
        reason = by_status
    if reason is Reason.UNCLEAR:
        reason = reason_of(context)
    if reason is Reason.UNCLEAR:
        reason = reason_of(diagnosis or context, status)
    words = diagnosis or context
    return Finding(
        address=address,
        status=status,
        reason=reason,
        hard=is_hard(reason, status, words),
        diagnosis=" ".join(words[: 4 * _MAX_DIAGNOSIS].split())[:_MAX_DIAGNOSIS],
    )


_FURTHER_LINES: Final = 30


def about(words: str, address: str, others: list[str]) -> str:
    """
    The lines on one recipient: from where it is named to the next recipient, and each later line that names it.

    >>> about("Sorry\\n<ana@gad.example>: no mailbox\\n<ben@gad.example>: full", "ana@gad.example", ["ben@gad.example"])
    '<ana@gad.example>: no mailbox'
    """
    wanted = address.lower()
    rest = [other.lower() for other in others if other.lower() != wanted]
    found: list[str] = []
    following = 0
    for line in words.splitlines():
        lowered = line.lower()
        if wanted in lowered:
            following = _FURTHER_LINES
        elif any(other in lowered for other in rest):
            following = 0
        if following and len(found) < 4 * _FURTHER_LINES:
            found.append(line)
            following -= 1
    return "\n".join(found)


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
