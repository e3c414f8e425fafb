"""
Why a message came back, in one vocabulary, and whether the address is gone for good.

*Hard* follows from the reason and the enhanced status (RFC 3463), never from `Action: failed`: a queue that gave up
says failed too, and so does a filter that disliked one message. The words of the other side are read before its
status, because many servers answer 5.1.1 for a full mailbox or 5.7.1 for an unknown user.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from mailer.feedback.phrases import FIRM, mark, patterns, unaccented


class Reason(StrEnum):
    """What stood in the way."""

    UNKNOWN_USER = "unknown_user"
    UNKNOWN_HOST = "unknown_host"
    MOVED = "moved"
    NOT_ACCEPTING = "not_accepting"
    MAILBOX_FULL = "mailbox_full"
    DISABLED = "disabled"
    SIZE = "size"
    CONTENT = "content"
    POLICY = "policy"
    REPUTATION = "reputation"
    AUTH = "auth"
    RELAY = "relay"
    RATE = "rate"
    TLS = "tls"
    DNS = "dns"
    NETWORK = "network"
    EXPIRED = "expired"
    LOOP = "loop"
    SYSTEM = "system"
    SYNTAX = "syntax"
    VACATION = "vacation"
    COMPLAINT = "complaint"
    UNCLEAR = "unclear"


# An address that is gone. A disabled mailbox may be opened again (RFC 3463 X.2.1): soft, until it repeats.
HARD: Final = frozenset({Reason.UNKNOWN_USER, Reason.UNKNOWN_HOST, Reason.MOVED, Reason.NOT_ACCEPTING})

_BY_STATUS: Final = {
    "1.0": Reason.UNKNOWN_USER,
    "1.1": Reason.UNKNOWN_USER,
    "1.2": Reason.UNKNOWN_HOST,
    "1.3": Reason.UNKNOWN_USER,
    "1.4": Reason.UNKNOWN_USER,
    "1.5": Reason.UNCLEAR,
    "1.6": Reason.MOVED,
    "1.7": Reason.POLICY,
    "1.8": Reason.POLICY,
    "1.9": Reason.SYSTEM,
    "1.10": Reason.NOT_ACCEPTING,
    "1.351": Reason.UNKNOWN_USER,
    "2.0": Reason.UNCLEAR,
    "2.1": Reason.DISABLED,
    "2.2": Reason.MAILBOX_FULL,
    "2.3": Reason.SIZE,
    "2.4": Reason.SYSTEM,
    "3.1": Reason.SYSTEM,
    "3.2": Reason.SYSTEM,
    "3.3": Reason.SYSTEM,
    "3.4": Reason.SIZE,
    "3.5": Reason.SYSTEM,
    "4.0": Reason.NETWORK,
    "4.1": Reason.NETWORK,
    "4.2": Reason.NETWORK,
    "4.3": Reason.DNS,
    "4.4": Reason.UNKNOWN_HOST,
    "4.5": Reason.RATE,
    "4.6": Reason.LOOP,
    "4.7": Reason.EXPIRED,
    "4.300": Reason.EXPIRED,
    "4.310": Reason.UNKNOWN_HOST,
    "4.312": Reason.DNS,
    "4.316": Reason.EXPIRED,
    "5.1": Reason.SYNTAX,
    "5.2": Reason.SYNTAX,
    "5.3": Reason.RATE,
    "5.4": Reason.SYNTAX,
    "6.0": Reason.CONTENT,
    "7.13": Reason.DISABLED,
    "7.17": Reason.MOVED,
    "7.18": Reason.MOVED,
    "7.10": Reason.TLS,
    "7.11": Reason.TLS,
    "7.25": Reason.REPUTATION,
    "7.27": Reason.POLICY,
    **{f"7.{detail}": Reason.AUTH for detail in (20, 21, 22, 23, 24, 26, 29)},
    **{f"7.{detail}": Reason.TLS for detail in (3, 4, 5, 6)},
}
_BY_SUBJECT: Final = {"3": Reason.SYSTEM, "6": Reason.CONTENT, "7": Reason.POLICY}
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.\[@/:-])([45][0-5]\d)(?=[ \-]|$)(?!-\d)")
_MAX_WORDS: Final = 6_000
_BEFORE: Final = 30
_OF_THE_SENDER = re.compile(r" (?:of|for|in|by|from) (?:the )?(?:sender|originator)")
# RFC 5321's own words for 550, which mean a missing mailbox only where nothing says otherwise.
_UNAVAILABLE = re.compile(
    r"mailbox (?:[^\s@]{1,64}@\S{1,80} )?(?:is )?(?:unavailable|not available)|user unavailable"
    r"|recipient (?:address )?rejected"
)


def plain(text: str) -> str:
    r"""
    Text as the phrases compare it: lower case, no accents, no underscores, single spaces.

    >>> plain("El Buzón  está\nlleno")
    'el buzon esta lleno'
    """
    return " ".join(unaccented(text[:_MAX_WORDS]).replace("’", "'").replace("_", " ").lower().split())


def status_in(text: str) -> str:
    """
    The enhanced status that stands in a reply, or nothing; a failure before a success, a specific before a vague one.

    >>> status_in("550 5.1.1 <ana@gad.example>: user unknown (10.0.5.3)")
    '5.1.1'
    """
    found = _ENHANCED.findall(text[:_MAX_WORDS])
    failures = [status for status in found if not status.startswith("2")] or found
    return next((status for status in failures if not status.endswith(".0.0")), failures[0] if failures else "")


def reply_code_in(text: str) -> str:
    """
    The SMTP reply code that stands in a text, or nothing.

    >>> reply_code_in("host mx.gad.example[192.0.2.250] said: 550 no such user")
    '550'
    """
    match = _REPLY.search(text[:_MAX_WORDS])
    return match[1] if match else ""


def settle_status(stated: str, diagnosis: str) -> str:
    """
    The most telling status of what the report states and what the diagnosis says.

    >>> settle_status("5.0.0", "smtp; 552 5.2.2 mailbox full")
    '5.2.2'
    """
    told = status_in(diagnosis)
    if not stated or (stated.endswith(".0.0") and told and not told.endswith(".0.0")):
        return told or stated
    return stated


def reason_of(diagnosis: str, status: str = "") -> Reason:
    """
    The reason that the other side's words give, or else its status.

    >>> reason_of("550 5.7.1 Service unavailable; client host [192.0.2.1] blocked using a blocklist", "5.7.1").value
    'reputation'
    >>> reason_of("", "5.1.1").value
    'unknown_user'
    """
    words = plain(diagnosis)
    if section := _section_of(words):
        return Reason(section.removeprefix(FIRM))
    by_status = _by_status(status)
    if by_status is Reason.UNCLEAR and _UNAVAILABLE.search(words):
        return Reason.UNKNOWN_USER
    return by_status


def is_firm(diagnosis: str) -> bool:
    """
    Whether the words name a rule so plainly that no status says otherwise.

    >>> is_firm("550 5.1.1 refused due to recipient preferences")
    True
    """
    return _section_of(plain(diagnosis)).startswith(FIRM)


@lru_cache(maxsize=200)
def _section_of(words: str) -> str:
    """The first section one of whose phrases stands in the words; what is missing of the sender is no lack of ours."""
    for name, pattern in patterns():
        if match := pattern.search(words):
            is_senders = mark("the sender").search(words[max(match.start() - _BEFORE, 0) : match.end()])
            is_senders = is_senders or _OF_THE_SENDER.match(words, match.end())
            return Reason.AUTH if is_senders and name in HARD else name
    return ""


def _by_status(status: str) -> Reason:
    family, _, rest = status.partition(".")
    if not rest or family not in {"4", "5"}:
        return Reason.UNCLEAR
    if rest in {"4.4", "1.2"} and family == "4":
        return Reason.DNS
    return _BY_STATUS.get(rest) or _BY_SUBJECT.get(rest.partition(".")[0], Reason.UNCLEAR)


def is_hard(reason: Reason, status: str, diagnosis: str = "") -> bool:
    """
    Whether the address is gone: the reason says so, and neither status nor reply calls it temporary.

    >>> is_hard(Reason.UNKNOWN_USER, "5.1.1"), is_hard(Reason.UNKNOWN_USER, "4.1.1"), is_hard(Reason.POLICY, "5.7.1")
    (True, False, False)
    """
    if reason not in HARD:
        return False
    said = status_in(diagnosis) or status
    if said and not said.endswith(".0.0"):
        return said.startswith("5")
    code = reply_code_in(diagnosis)
    return not (code or said).startswith("4")
