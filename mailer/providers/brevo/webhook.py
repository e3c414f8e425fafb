"""Brevo's transactional webhooks: one event a call, over basic authentication; it signs nothing."""

from datetime import datetime
from typing import Final

from mailer.feedback.event import Event, Happening
from mailer.feedback.webhook import BasicKeys, Headers, bounced, check_basic, decode, event_id, instant, text

_HAPPENINGS: Final = {
    "delivered": Happening.DELIVERED,
    "deferred": Happening.DEFERRED,
    "soft_bounce": Happening.BOUNCED,
    "hard_bounce": Happening.BOUNCED,
    "invalid_email": Happening.BOUNCED,
    "blocked": Happening.BOUNCED,
    "spam": Happening.COMPLAINED,
    "complaint": Happening.COMPLAINED,
    "unsubscribed": Happening.UNSUBSCRIBED,
    "opened": Happening.OPENED,
    "unique_opened": Happening.OPENED,
    "click": Happening.CLICKED,
}


Keys = BasicKeys


def receive(keys: Keys, headers: Headers, body: bytes, now: datetime) -> list[Event]:
    """
    The event of one call.

    Raises:
        WebhookRefused: The password is wrong.

    """
    check_basic(headers, keys)
    record = decode(body)
    kind = text(record, "event")
    happening = _HAPPENINGS.get(kind)
    if happening is None:
        return []
    stamp = record.get("ts_event") or record.get("ts")
    # `id` is the webhook's own number, the same in every call; message, event, address and time tell events apart.
    event = Event(
        id=event_id("brevo", kind, text(record, "message-id"), text(record, "email"), str(stamp)),
        happening=happening,
        at=instant(stamp, now),
        source="brevo",
        address=text(record, "email"),
        message_id=text(record, "X-Mailin-custom") or text(record, "message-id"),  # ours, then Brevo's
        provider_id=text(record, "message-id"),
        is_vouched=True,
    )
    if happening is not Happening.BOUNCED:
        return [event]
    permanent = kind in {"hard_bounce", "invalid_email"}
    return [bounced(event, diagnosis=text(record, "reason"), is_permanent=permanent)]
