"""
★ Understands returned mail: what it is, and whom it is about.

From the surest source to the weakest: a complaint's report, a delivery status part, an automatic answer's headers, then
the words that servers write for people, last flufl.bounce. Nothing that a stranger can send makes it raise, and what
it spends is bounded: the report stands before the returned message, so the first megabyte is enough.
"""

import email
import email.policy
import logging
from contextlib import suppress
from typing import Final

from flufl.bounce import all_failures

from mailer.feedback.addresses import addresses_in, is_machine
from mailer.feedback.arf import read_arf
from mailer.feedback.dsn import read_dsn, read_rejection, status_parts
from mailer.feedback.finding import Finding, Kind, Understanding, once_each
from mailer.feedback.mime import Part, read_mail
from mailer.feedback.plain_language import is_bounce, read_loosely, read_plain, report_of, told
from mailer.feedback.vacation import read_silent_answer, read_vacation

_RETURNED: Final = frozenset({
    "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers",
    "message/partial",
})  # fmt: skip
_MAX_WORDS: Final = 30_000
_MAX_FLUFL: Final = 100_000
_MAX_FLUFL_PARTS: Final = 10  # it walks through them anew for each of its formats
_MAX_FLUFL_LINES: Final = 1_500  # it reads every line once for each of its patterns
_MAX_FLUFL_LINE: Final = 1_000  # which take the square of a line's length
logging.getLogger("flufl.bounce").addHandler(logging.NullHandler())


def understand(raw: bytes) -> Understanding:
    r"""
    Say what a returned mail is and whom it is about. Never raises, whatever the bytes.

    >>> understand(b"Subject: Hola\n\nNos vemos el lunes.").kind.value
    'none'
    """
    mail = read_mail(raw)
    words, returned = _words_and_returned(mail)
    originals = _recipients_of(returned)
    kind, found = (
        read_arf(mail)
        or read_dsn(mail, words, originals)
        or read_rejection(mail, words)
        or (None if status_parts(mail) else read_vacation(mail, words))
        or read_plain(mail, words)
        or _by_flufl(raw, mail, words)
        or read_loosely(mail, words, originals)
        or read_silent_answer(mail)
        or (Kind.NONE, [])
    )
    return Understanding(
        kind=kind, recipients=once_each(found), message_id=_message_id(returned), written_to=tuple(originals)
    )


def _words_and_returned(mail: Part) -> tuple[str, list[Part]]:
    """The text that is for people, and the headers of the message of ours that it returns."""
    words: list[str] = []
    returned: list[Part] = []
    for part in _outer(mail):
        if part.type in _RETURNED:
            returned.extend(part.parts or [read_mail(part.text.encode("utf-8", "replace"))])
        elif part.type.startswith("text/") or part.type == "multipart/report":
            report, rest = report_of(part.text[:_MAX_WORDS])
            words.append(report)
            if rest:
                returned.append(read_mail(_from_first_header(rest).encode("utf-8", "replace")))
    return "\n".join(words)[:_MAX_WORDS], returned


def _outer(mail: Part) -> list[Part]:
    """The parts of a mail in reading order, without entering the message that it returns."""
    if not mail.parts or mail.type in _RETURNED:
        return [mail]
    parts = [part for child in mail.parts for part in _outer(child)]
    if mail.type == "multipart/alternative":
        plain_parts = [part for part in parts if part.type == "text/plain" and part.text.strip()]
        return plain_parts or parts
    return [mail, *parts] if mail.body.strip() and not any(part.type.startswith("text/") for part in parts) else parts


def _from_first_header(text: str) -> str:
    lines = text.splitlines()
    start = next(
        (index for index, line in enumerate(lines) if ": " in line[:60] and " " not in line.partition(":")[0]), 0
    )
    return "\n".join(lines[start:])


def _recipients_of(returned: list[Part]) -> list[str]:
    for name in ("to", "x-original-to", "envelope-to", "cc"):
        found = [address for part in returned for value in part.all(name) for address in addresses_in(value)]
        if found := [address for address in dict.fromkeys(found) if not is_machine(address)]:
            return found[:50]
    return []


def _message_id(returned: list[Part]) -> str:
    return next((part.header("message-id").strip()[:500] for part in returned if part.header("message-id")), "")


def _by_flufl(raw: bytes, mail: Part, words: str) -> tuple[Kind, list[Finding]] | None:
    """Ask flufl.bounce, which knows formats that are seldom seen; its verdict on hardness is not used."""
    if len(mail.walk()) > _MAX_FLUFL_PARTS or not is_bounce(mail, words):
        return None
    addresses: set[bytes] = set()
    head = b"\n".join(line[:_MAX_FLUFL_LINE] for line in raw[:_MAX_FLUFL].splitlines()[:_MAX_FLUFL_LINES])
    with suppress(Exception):  # it parses with the standard library, which raises on what strangers send
        temporary, permanent = all_failures(email.message_from_bytes(head, policy=email.policy.compat32))
        addresses = set(temporary) | set(permanent)
    found = sorted(address.decode("utf-8", "replace") for address in addresses)
    in_report = [address for address in found if address.lower() in words.lower()]  # not in the returned message
    return told(mail, words, in_report or found)
