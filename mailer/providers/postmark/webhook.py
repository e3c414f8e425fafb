"""Postmark's webhooks: one record a call, over basic authentication; it signs nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from mailer.feedback.event import Event, Happening
from mailer.feedback.webhook import BasicKeys, Headers, bounced, check_basic, decode, event_id, instant, text

_HAPPENINGS: Final = {
    "Delivery": Happening.DELIVERED,
    "Bounce": Happening.BOUNCED,
    "SpamComplaint": Happening.COMPLAINED,
    "SubscriptionChange": Happening.UNSUBSCRIBED,
    "Open": Happening.OPENED,
    "Click": Happening.CLICKED,
}
_TIMES: Final = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")
_ANSWERS: Final = frozenset({"AutoResponder", "ChallengeVerification", "OpenRelayTest", "AddressChange"})


Keys = BasicKeys


def receive(keys: Keys, headers: Headers, body: bytes, now: datetime) -> list[Event]:
    """
    The event of one call.

    Raises:
        WebhookRefused: The password is wrong.

    """
    check_basic(headers, keys)
    record = decode(body)
    kind = text(record, "RecordType")
    happening = _HAPPENINGS.get(kind)
    if happening is None or (kind == "SubscriptionChange" and not _is_wish_to_leave(record)):
        return []
    at = next((value for name in _TIMES if (value := text(record, name))), "")
    named = text(record, "MessageID")
    event = Event(
        id=event_id("postmark", kind, text(record, "ID") or f"{named}:{at}"),
        happening=happening,
        at=instant(at, now),
        source="postmark",
        address=text(record, "Email") or text(record, "Recipient"),
        message_id=text(record, "Metadata", "message-id"),
        provider_id=named,
        is_vouched=True,
    )
    if happening is not Happening.BOUNCED:
        return [event]
    if text(record, "Type") in _ANSWERS:
        return [msgspec.structs.replace(event, happening=Happening.ANSWERED)]
    if text(record, "Type") == "SpamComplaint":
        return [msgspec.structs.replace(event, happening=Happening.COMPLAINED)]
    permanent = text(record, "Type") in {"HardBounce", "BadEmailAddress"}
    return [bounced(event, diagnosis=text(record, "Details"), is_permanent=permanent)]


def _is_wish_to_leave(record: Mapping[str, Any]) -> bool:
    """
    Whether a change of Postmark's suppression list is the reader's own wish.

    Bounces and complaints, which change it too, come as calls of their own; a reader who comes back does so with us.
    """
    by_reader = text(record, "SuppressionReason") == "ManualSuppression" and text(record, "Origin") == "Recipient"
    return record.get("SuppressSending") is True and by_reader
