"""
Bounces without a machine-readable part: what qmail, Exim, old sendmails, Exchange, Domino, webmailers and gateways
write for people, in several languages.

Three questions, each answered from data: is it a bounce at all, where does the report end and the returned message
begin, and on which lines do the failed recipients stand.
"""

import re
from typing import Final

from mailer.feedback.addresses import ADDRESS, addresses_in, clean, is_machine, same
from mailer.feedback.finding import Finding, Kind, about_each, judge, softened
from mailer.feedback.mime import Part
from mailer.feedback.phrases import mark
from mailer.feedback.reason import HARD, plain, reason_of

_ORNAMENTED = re.compile(r"[\s>|*=_#-]{1,20}")
_ANSWER = re.compile(r"(?:re|aw|rv|sv)\s?:")  # a person who answers a bounce writes beneath its subject
_WORD = re.compile(r"\b\w")
_MAX_RECIPIENTS: Final = 200
_A = f"(?P<a>{ADDRESS})"
_ANCHORS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^\s*(?:[-*•>]{{1,3}}\s*)?[<\"'(\[]?{_A}[>\"')\]]{{0,2}}[ \t]*:",
        rf"^\s*(?:[-*•>]{{1,3}}\s*)?[<\"'(\[]{{0,2}}{_A}[>\"')\]]{{0,2}}[.,;]?\s*$",
        rf"^\s*[<\"'(\[]?{_A}[>\"')\]]?\s{{0,5}}(?:\.\.\.|--?\s|\.\.)",
        rf"^\s*[<\"'(\[]?{_A}[>\"')\]]?\s{{1,5}}(?:on \d|\(|\[|has |is |was |does |[45]\d\d )",
        rf"^\s*c=[^@\s]{{0,200}}\s?[^@\s]{{0,200}};dda:smtp={_A}",
    )
)
# Where we wrote to, when the report names first where that was forwarded.
_FORWARDED: Final = re.compile(
    r"(?:(?:ultimately )?generated from|expanded from:?|original(?: recipient)? address:?|originally addressed to)"
    rf"\s{{0,5}}[<\"']?{_A}",
    re.IGNORECASE,
)
_QUOTED_FIELD: Final = re.compile(
    r"\s{0,10}[*-]?\s{0,3}(?:to|cc|subject|sent|from|date|message-id|received on)\s?:", re.IGNORECASE
)
_KEYED: Final = re.compile(
    r"(?:rcpt to|error-for|failed recipients?|recipients?(?: address)?|addressee|addresses?|users?|user name|mailbox"
    r"|destinatari[oa]s?|usuario|buz[oó]n|intended for|intended recipient|to|for|userid|invalid final delivery userid"
    r"|para|direcci[oó]n|mail to|message to|empf[aä]nger|destinataire|adresse|account|reach|deliver(?:ed|y)? to"
    r"|[45]\d\d|[45]\.\d\.\d{1,2})(?:\(s\)|\(es\))?\s{0,5}[:=]?\s{0,5}"
    rf"[<\"'(\[]{{0,3}}(?:smtp:|rfc822;\s{{0,3}}|mailto:)?{_A}",
    re.IGNORECASE,
)


def is_bounce(mail: Part, words: str) -> bool:
    """Whether a mail without a machine-readable part gives itself out as a bounce: by its sender, subject and words."""
    if mail.header("x-failed-recipients"):
        return True
    sender = plain(mail.header("from") + " " + mail.header("sender"))
    returns_to = mail.header("return-path").strip()
    by_sender = bool(mark("bounce sender").search(sender)) or "@" not in sender
    subject = plain(mail.header("subject"))
    by_subject = bool(mark("bounce subject").search(subject)) and not _is_answer(mail, subject)
    by_body = bool(mark("bounce words").search(plain(words)))
    by_machine = is_machine(clean(mail.header("from"))) and bool(_anchored_in(words))
    # A person's mail comes back to the person, and speaks of "my mail", not of yours. What comes back to nobody, and
    # says so in its words alone, may be an automatic answer ("Ana's account no longer exists, write to Ben").
    is_persons = same(clean(mail.header("from")), [clean(returns_to)]) and not mark("your mail").search(plain(words))
    return (
        by_machine
        or (by_sender and (by_subject or by_body))
        or (by_subject and (by_body or returns_to == "<>") and not is_persons)
    )


def _is_answer(mail: Part, subject: str) -> bool:
    return bool(_ANSWER.match(subject) and (mail.header("in-reply-to") or mail.header("references")))


def is_delay(mail: Part, words: str) -> bool:
    """Whether the mail only warns that it takes longer."""
    text = plain(words)
    subject = plain(mail.header("subject"))
    if reason_of(subject) in HARD:  # "Warning: ana@gad.example - User unknown!"
        return False
    if not (mark("delay words").search(text) or re.search(r"delay|warning:|retras|demora|atras", subject)):
        return False
    return not mark("gave up").search(text) or bool(re.search(r"delay|warning:|retras", subject))


def report_of(text: str) -> tuple[str, str]:
    r"""
    A text in its report and the message that it returns.

    >>> report_of("Sorry, no mailbox here.\n--- Below this line is a copy of the message.\nTo: ana@gad.example")[0]
    'Sorry, no mailbox here.'
    """
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if index and line.strip() and _starts_returned(plain(line[:200])):
            return "\n".join(lines[:index]), "\n".join(lines[index:])
    return text, ""


# Sendmail draws it in asterisks above its report of a delay: it names our message, and returns nothing.
_SENDMAIL_COMFORT: Final = "do not need to resend"


def _starts_returned(line: str) -> bool:
    """Whether the returned message begins at this line; in a line drawn in hyphens, words may stand before it."""
    if _SENDMAIL_COMFORT in line:
        return False
    starts = [match.start() for match in _WORD.finditer(line[:40])] if _ORNAMENTED.match(line) else [0]
    return any(mark("returned message").match(line, start) for start in starts)


def read_plain(mail: Part, words: str) -> tuple[Kind, list[Finding]] | None:
    """
    What a bounce for people says of the recipients that stand at its lines' beginnings, or nothing.

    `words` is its text without the returned message.
    """
    if not is_bounce(mail, words):
        return None
    if listed := [address for value in mail.all("x-failed-recipients") for address in addresses_in(value)]:
        return told(mail, words, listed)
    anchored = _anchored_in(without_quoted_fields(words))
    return told(mail, words, [address for address in anchored if not same(address, _own(mail))])


def read_loosely(mail: Part, words: str, originals: list[str]) -> tuple[Kind, list[Finding]] | None:
    """
    What a bounce says whose form nobody knows: addresses behind a key word, any address, whom the message went to.

    `originals` are the recipients that the returned message names.
    """
    if not is_bounce(mail, words):
        return None
    quoted = without_quoted_fields(words)
    own = _own(mail)
    keyed = [clean(match["a"]) for match in _KEYED.finditer(quoted)]
    for candidates, most in ((keyed, len(keyed)), (addresses_in(quoted), 1)):
        named = [address for address in dict.fromkeys(candidates) if address and not is_machine(address)]
        if to_original := [address for address in named if same(address, originals)]:
            return told(mail, words, to_original)
        if foreign := [address for address in named if not same(address, own)]:
            return told(mail, words, foreign[:most])
    return told(mail, words, _anchored_in(quoted)[:1] or (originals if len(originals) == 1 else []))


def _own(mail: Part) -> list[str]:
    return [clean(mail.header(name)) for name in ("from", "to", "return-path", "sender", "reply-to", "delivered-to")]


def told(mail: Part, words: str, named: list[str]) -> tuple[Kind, list[Finding]] | None:
    """What the report tells of each of the recipients that were found in it, or nothing if there are none."""
    if not named:
        return None
    told_of = about_each(words, named[:_MAX_RECIPIENTS])
    judged = [judge(address, diagnosis=diagnosis, context=(words,)) for address, diagnosis in told_of.items()]
    found = [finding for finding in judged if not finding.status.startswith("2")]  # delivered
    if not found:
        return Kind.NONE, []
    if is_delay(mail, words):
        return Kind.DELAY, [softened(finding) for finding in found]
    return Kind.BOUNCE, found


def without_quoted_fields(words: str) -> str:
    r"""
    The report without the header fields of ours that it quotes ("Your message / To: … / Subject: …").

    >>> without_quoted_fields("Your message\n  To: all@lists.example\n  Subject: Virus\nfailed")
    'Your message\nfailed'
    """
    lines = words.splitlines()
    quoted = [bool(_QUOTED_FIELD.match(line)) for line in lines]
    near = [any(quoted[max(index - 1, 0) : index]) or any(quoted[index + 1 : index + 2]) for index in range(len(lines))]
    return "\n".join(
        line for line, field, in_block in zip(lines, quoted, near, strict=True) if not (field and in_block)
    )


def _anchored_in(words: str) -> list[str]:
    """The addresses that stand at the beginnings of lines; where a line says what it was forwarded from, that one."""
    found: list[str] = []
    for line in words.splitlines():
        if forwarded := _FORWARDED.search(line[:500]):
            origin = clean(forwarded["a"])
            if found and not any(anchor.match(line[:500]) for anchor in _ANCHORS):
                found[-1] = origin
                continue
            found.append(origin)
            continue
        match = next((match for anchor in _ANCHORS if (match := anchor.match(line[:500]))), None)
        if match and (address := clean(match["a"])) and not is_machine(address):
            found.append(address)
    return list(dict.fromkeys(found))
