"""Makes events of a returned mail: what it says, and which delivery of ours it speaks of."""

import hashlib
from datetime import datetime
from typing import Final

import msgspec

from mailer.feedback.addresses import same_mailbox
from mailer.feedback.event import Event, Happening
from mailer.feedback.finding import Finding, Kind
from mailer.feedback.mime import read_mail
from mailer.feedback.understand import understand
from mailer.feedback.verp import bounced_delivery, unsubscribed_delivery
from mailer.tokens import Signer

_HAPPENINGS: Final = {
    Kind.BOUNCE: Happening.BOUNCED,
    Kind.DELAY: Happening.DEFERRED,
    Kind.COMPLAINT: Happening.COMPLAINED,
    Kind.VACATION: Happening.ANSWERED,
}


def events_of(raw: bytes, *, signer: Signer, now: datetime, source: str = "mailbox") -> list[Event]:
    """
    The events of one returned mail, one a recipient; none if it is no feedback. Never raises.

    A mail that came to a bounce address of ours speaks of that delivery alone: of several recipients that it names
    (a list behind the address), the worst is taken. Where the address that we wrote to took the message and passed it
    on, its being hard for somebody behind it is not hard for the address. An event's id is that of the mail's bytes.
    """
    mail = read_mail(raw)
    digest = hashlib.sha256(raw).hexdigest()
    if leaving := unsubscribed_delivery(mail, signer):
        return [Event(f"mail:{digest}", Happening.UNSUBSCRIBED, now, source, delivery=leaving)]
    understood = understand(raw)
    if understood.kind is Kind.NONE:
        return []
    happening = _HAPPENINGS[understood.kind]
    delivery = bounced_delivery(mail, signer)
    findings = [_of_the_address(one, understood.written_to) for one in understood.recipients] or [Finding(address="")]
    if delivery:
        findings = [max(findings, key=lambda finding: finding.hard)]
    return [
        Event(
            id=f"mail:{digest}:{number}",
            happening=happening,
            at=now,
            source=source,
            address=finding.address,
            delivery=delivery,
            message_id=understood.message_id,
            reason=finding.reason,
            hard=finding.hard,
            status=finding.status,
            diagnosis=finding.diagnosis,
        )
        for number, finding in enumerate(findings)
    ]


def _of_the_address(finding: Finding, written_to: tuple[str, ...]) -> Finding:
    is_other = bool(written_to) and not any(same_mailbox(finding.address, address) for address in written_to)
    return msgspec.structs.replace(finding, hard=finding.hard and not (finding.passed_on or is_other))
