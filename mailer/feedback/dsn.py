"""
Delivery status notifications (RFC 3464, and 6533 for international addresses), as servers really write them.

Fields without a blank line between recipients, blank lines inside a group, addresses without a type, actions with
additions: all are read. Of several addresses for one recipient the original one wins, which is what we wrote to.
"""

import re
from typing import Final

import msgspec

from mailer.feedback.addresses import addresses_in, clean, same_mailbox
from mailer.feedback.finding import Finding, Kind, about_each, judge, softened
from mailer.feedback.mime import Part
from mailer.feedback.reason import plain

_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60})[ \t]{0,10}:[ \t]{0,100}(.*)")
_RECIPIENT_FIELDS: Final = ("original-recipient", "final-recipient", "x-actual-recipient", "x-original-recipient")
_CAME_TO: Final = ("to", "delivered-to", "x-original-to")
_TOLD_BY: Final = ("diagnostic-code", "x-supplementary-info", "x-notes", "x-display-reason", "x-zoho-diagnostic")
_UNICODE_ESCAPE = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_QUOTED = re.compile(r"^>[> ]{0,10}", re.MULTILINE)
_MAX_TEXT: Final = 400_000
_MAX_GROUPS: Final = 300
_MAX_WORDS: Final = 4_000
_MAX_FIELD: Final = 4_000
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")

Group = dict[str, list[str]]


def status_parts(mail: Part) -> list[Part]:
    """The delivery-status parts of a mail, those of the outermost report only."""
    found = [part for part in mail.walk() if part.type in _TYPES]
    if found:
        holders = [holder for holder in mail.walk() if any(part in found for part in holder.parts)]
        return [part for part in (holders[0].parts if holders else found) if part.type in _TYPES]
    return [part for part in mail.walk() if part.type.startswith("text/") and _looks_like_status(part)]


def _looks_like_status(part: Part) -> bool:
    head = _unquoted(part.text[:_MAX_TEXT]).lower()
    return "\nfinal-recipient:" in head and "\naction:" in head


def _unquoted(text: str) -> str:
    """A text without the marks that a forwarding mail program puts before each line."""
    return _QUOTED.sub("", text)


def groups_of(text: str) -> list[Group]:
    r"""
    The per-recipient groups of fields of a report's text; what stands before the first is left out.

    >>> groups_of("Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; ana@gad.example\nAction: failed")
    [{'final-recipient': ['rfc822; ana@gad.example'], 'action': ['failed']}]
    """
    groups: list[Group] = []
    current: Group = {}
    for name, value in _fields(text[:_MAX_TEXT]):
        if not name:  # a blank line: what follows may belong to the same recipient
            if not any(field in current for field in _RECIPIENT_FIELDS):
                current = {}
        elif name in _RECIPIENT_FIELDS and _is_next(name, current):
            current = {name: [value]}
            groups.append(current)
        else:
            if name in _RECIPIENT_FIELDS and not any(field in current for field in _RECIPIENT_FIELDS):
                groups.append(current)
            current.setdefault(name, []).append(value)
    return groups[:_MAX_GROUPS]


def _is_next(name: str, current: Group) -> bool:
    """Whether a recipient field opens a new group: one of its name is there, or an action came after a recipient."""
    if name in current:
        return True
    order = list(current)
    recipients = [order.index(field) for field in _RECIPIENT_FIELDS if field in current]
    return bool(recipients) and "action" in current and order.index("action") > min(recipients)


def _fields(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if not line.strip():
            found.append(("", ""))
        elif line[0] in " \t" and found and found[-1][0]:
            name, value = found[-1]
            found[-1] = (name, f"{value} {line.strip()}" if len(value) < _MAX_FIELD else value)
        elif match := _FIELD.match(line.strip()):
            found.append((match[1].lower(), match[2].strip()))
    return found


def read_dsn(mail: Part, words: str, originals: list[str]) -> tuple[Kind, list[Finding]] | None:
    """
    What a delivery status notification says, or nothing if the mail holds none.

    `words` is the part for people; `originals` are the recipients that the returned message names.
    """
    parts = status_parts(mail)
    if not parts:
        return None
    text = "\n\n".join(
        "\n".join(f"{name}: {value}" for name, value in part.headers) + "\n" + _report(part) for part in parts
    )
    groups = groups_of(text)
    failed: list[Finding] = []
    delayed: list[Finding] = []
    happened = [(group, _what_happened(group, mail)) for group in groups]
    named = [_address(group, words, originals, alone=len(groups) == 1) for group in groups]
    told_of = about_each(words, named)
    ours = tuple(address for name in _CAME_TO for value in mail.all(name) for address in addresses_in(value))
    for (group, kind), address in zip(happened, named, strict=True):
        if kind is Kind.NONE or not address:
            continue
        around = (told_of[address], words[:_MAX_WORDS] if len(groups) == 1 else "")
        found = judge(address, status=_status(group), diagnosis=_told(group), context=around, ours=ours)
        found = msgspec.structs.replace(found, passed_on=_is_passed_on(group, address))
        (failed if kind is Kind.BOUNCE else delayed).append(found if kind is Kind.BOUNCE else softened(found))
    if failed or delayed:
        return (Kind.BOUNCE, failed) if failed else (Kind.DELAY, delayed)
    if happened and all(kind is Kind.NONE for _, kind in happened):
        return Kind.NONE, []
    return None


def read_rejection(mail: Part, words: str) -> tuple[Kind, list[Finding]] | None:
    """
    A disposition notification (RFC 8098): nothing that concerns us, unless a filter says with it that it rejected.

    Sieve's `reject` answers so (RFC 5429 2.1).
    """
    part = next((part for part in mail.walk() if part.type == "message/disposition-notification"), None)
    if part is None:
        return None
    rejected = plain(" ".join((mail.header("auto-submitted"), mail.header("subject"), words)))
    if not ("reject" in rejected and "automatic-action" in part.text.lower()):
        return Kind.NONE, []
    named = [clean(value) for name, value in _fields(part.text) if name in _RECIPIENT_FIELDS]
    return Kind.BOUNCE, [judge(address, context=(words,)) for address in named if address]


def _report(part: Part) -> str:
    return part.text if part.type in _TYPES else _unquoted(part.text[:_MAX_TEXT])


def _what_happened(group: Group, mail: Part) -> Kind:
    action = " ".join(group.get("action", [])).strip().lower()
    if action.startswith(("deliver", "relay", "expand")) and not _status(group).startswith("5"):
        return Kind.NONE
    if action.startswith(("delay", "defer")):
        return Kind.DELAY
    if action.startswith("fail") or "fail" in action:
        return Kind.BOUNCE
    status = _status(group)
    if status.startswith("2"):
        return Kind.NONE
    return Kind.DELAY if status.startswith("4") and "delay" in mail.header("subject").lower() else Kind.BOUNCE


def _status(group: Group) -> str:
    match = _STATUS.search(" ".join(group.get("status", []))[:500])
    return match[0] if match else ""


def _told(group: Group) -> str:
    return "\n".join(value.partition(";")[2].strip() or value for name in _TOLD_BY for value in group.get(name, []))


def _address(group: Group, words: str, originals: list[str], *, alone: bool) -> str:
    values = [value for name in _RECIPIENT_FIELDS for value in group.get(name, [])]
    for value in values:
        kind, _, rest = value.partition(";")
        if address := clean(_unescaped(rest or kind)):
            return address
    named = " ".join(value.rpartition(";")[2].strip(" <>\"'") for value in values).lower().split()
    for address in [*originals, *addresses_in(words)]:
        if address.partition("@")[0].lower() in named:
            return address
    return originals[0] if alone and len(originals) == 1 else ""


def _is_passed_on(group: Group, address: str) -> bool:
    """Whether another mailbox failed than the one that was written to: somebody behind an alias or a list."""
    failed = [found for value in group.get("final-recipient", []) if (found := clean(_unescaped(value)))]
    return bool(failed) and not any(same_mailbox(address, other) for other in failed)


def _unescaped(value: str) -> str:
    return _UNICODE_ESCAPE.sub(lambda match: chr(min(int(match[1], 16), 0x10FFFF)), value)
