"""
Automatic answers of people who are away (RFC 3834, and what was in use before it). They are never bounces.
"""

import re
from typing import Final

from mailer.feedback.addresses import clean, is_machine
from mailer.feedback.finding import Finding, Kind
from mailer.feedback.mime import Part
from mailer.feedback.reason import Reason, plain

_SUBJECT = re.compile(
    r"^\W{0,5}(?:auto(?:matic(?:a|o)?|matische|-)?[ :-]{0,3}(?:re(?:ply|sponse|spuesta)|respond\w{0,3}|antwort|reponse|responder)|autoreply|autoresp"
    r"|automat(?:ic|ed) (?:reply|response|answer|e-?mail)|respuesta automatica|resposta automatica|reponse automatique"
    r"|automatische antwort|risposta automatica|out[ -]of[ -](?:the[ -])?office|(?:i am |i'm )?(?:currently )?(?:on )?(?:vacation|holiday|annual leave)\b"
    r"|away from|fuera de (?:la )?oficina|ausente|ausencia|absence|absent|abwesen|vacaciones|de vacaciones|ferias|en conges|ooo\b|ausser haus|nicht im buro|odsutn|autoodpow"
    r"|auto:|vacation (?:reply|response|message|notice)|on leave)"
)
_AWAY = re.compile(
    r"out of (?:the )?office|on (?:vacation|holiday|annual leave|maternity leave|leave)\b|away from (?:the|my) (?:office|desk|e-?mail)|i (?:am|will be) (?:away|out)\b"
    r"|fuera de (?:la )?(?:oficina|mi oficina)|estoy de vacaciones|estare (?:ausente|fuera)|me encuentro (?:de vacaciones|fuera|ausente)|de licencia"
    r"|estou (?:de ferias|ausente|fora)|ausente do escritorio|fora do escritorio|je suis (?:absent|en conges|actuellement absent)|absente? du bureau|en vacances"
    r"|automatic(?:ally generated)? (?:reply|response)|respuesta automatica|resposta automatica|reponse automatique|thank you for (?:your (?:e-?mail|message)|contacting)|i no longer work|nicht im (?:haus|buro)"
)
_HEADERS: Final = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-response", "x-vacation", "x-autoreply-from", "x-mail-autoreply")


def read_vacation(mail: Part, words: str) -> tuple[Kind, list[Finding]] | None:
    """An automatic answer and who is away, or nothing if the mail is none. Delivery reports are to be ruled out first."""
    subject = plain(mail.header("subject"))
    about = re.sub(r"^(?:re|aw|rv|sv|fwd?)\s{0,3}:\s{0,3}", "", subject)
    said = mail.header("auto-submitted").strip().lower()
    precedence = mail.header("precedence").strip().lower()
    sender = clean(mail.header("from")) or clean(mail.header("reply-to")) or clean(mail.header("return-path"))
    if not sender or (is_machine(sender) and not _SUBJECT.match(about)):
        return None
    is_answer = (
        bool(_SUBJECT.match(about))
        or said.startswith(("auto-replied", "auto-notified"))
        or precedence in {"auto_reply", "auto-reply"}
        or any(mail.header(name) for name in _HEADERS)
        or (_from_a_machine(mail, said, precedence) and bool(_AWAY.search(plain(words))))
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
