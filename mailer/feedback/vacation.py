"""Automatic answers of people who are away (RFC 3834, and what was in use before it). They are never bounces."""

import re
from typing import Final

from mailer.feedback.addresses import clean, is_machine
from mailer.feedback.finding import Finding, Kind
from mailer.feedback.mime import Part
from mailer.feedback.phrases import mark
from mailer.feedback.reason import Reason, plain

_ANSWERED = re.compile(r"^(?:(?:re|aw|rv|sv|fwd?)\s{0,3}:\s{0,3})?\W{0,5}")
_HEADERS: Final = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-response",
    "x-vacation",
    "x-autoreply-from",
    "x-mail-autoreply",
)


def read_vacation(mail: Part, words: str) -> tuple[Kind, list[Finding]] | None:
    """An automatic answer and who is away, or nothing if the mail is none; delivery reports are ruled out before."""
    subject = plain(mail.header("subject"))
    about = _ANSWERED.sub("", subject)
    said = mail.header("auto-submitted").strip().lower()
    precedence = mail.header("precedence").strip().lower()
    sender = clean(mail.header("from")) or clean(mail.header("reply-to")) or clean(mail.header("return-path"))
    if not sender or (is_machine(sender) and not mark("away subject").match(about)):
        return None
    is_answer = (
        bool(mark("away subject").match(about))
        or said.startswith(("auto-replied", "auto-notified"))
        or precedence in {"auto_reply", "auto-reply"}
        or any(mail.header(name) for name in _HEADERS)
        or (_from_a_machine(mail, said, precedence) and bool(mark("away words").search(plain(words))))
    )
    if not is_answer:
        return None
    return Kind.VACATION, [Finding(address=sender, reason=Reason.VACATION)]


def read_silent_answer(mail: Part) -> tuple[Kind, list[Finding]] | None:
    """
    An answer with a null envelope sender, from a person, about no failure: an automatic one that doesn't say so.

    Asked last, when the mail is known to be no bounce.
    """
    sender = clean(mail.header("from"))
    if mail.header("return-path").strip() != "<>" or not sender or is_machine(sender):
        return None
    return Kind.VACATION, [Finding(address=sender, reason=Reason.VACATION)]


def _from_a_machine(mail: Part, said: str, precedence: str) -> bool:
    return (
        said.startswith("auto-generated")
        or precedence in {"bulk", "junk"}
        or mail.header("x-auto-response-suppress") != ""
        or mail.header("return-path").strip() == "<>"
    )
