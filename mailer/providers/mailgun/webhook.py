"""
Mailgun's webhooks: one event a call.

The signature is an HMAC over time stamp and token alone, not over the event: whoever saw one call could sign any other
with it. So each token is good for one event, and that is what makes the signature worth something. The token is
spent in the transaction that records the event: a crash between the two would lose an event that Mailgun sends again
under the same token.
"""

import hmac
from datetime import datetime, timedelta
from typing import Final

import msgspec

from mailer.feedback.event import Event, Happening
from mailer.feedback.webhook import Headers, WebhookRefused, bounced, decode, event_id, instant, near, text

# Mailgun repeats a call that failed after 10, 20 and 35 minutes (and on to 8 hours) under its first time stamp.
_WINDOW: Final = timedelta(minutes=45)
_HAPPENINGS: Final = {
    "delivered": Happening.DELIVERED,
    "failed": Happening.BOUNCED,
    "complained": Happening.COMPLAINED,
    "unsubscribed": Happening.UNSUBSCRIBED,
    "opened": Happening.OPENED,
    "clicked": Happening.CLICKED,
}


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The HTTP webhook signing key."""

    signing_key: str


def receive(keys: Keys, headers: Headers, body: bytes, now: datetime) -> list[Event]:  # noqa: ARG001 - it is all in the body
    """
    The event of one call.

    Raises:
        WebhookRefused: The signature is wrong or stale.

    """
    payload = decode(body)
    signature = payload.get("signature") if isinstance(payload, dict) else None
    stamp, token = text(signature, "timestamp"), text(signature, "token")
    expected = hmac.new(keys.signing_key.encode(), f"{stamp}{token}".encode(), "sha256").hexdigest()
    # An account above ours signs a second time, with its own key.
    given = text(signature, "signature"), text(signature, "parent-signature")
    if not token or not any(hmac.compare_digest(expected.encode(), one.encode()) for one in given):
        raise WebhookRefused("wrong signature")
    near(stamp, now, _WINDOW)
    data = payload.get("event-data")
    happening = _HAPPENINGS.get(text(data, "event"))
    if happening is None:
        return []
    temporary = text(data, "severity") == "temporary"
    event = Event(
        id=event_id("mailgun", text(data, "id"), otherwise=data),
        happening=Happening.DEFERRED if happening is Happening.BOUNCED and temporary else happening,
        at=instant(data.get("timestamp"), now),
        source="mailgun",
        address=text(data, "recipient"),
        message_id=text(data, "message", "headers", "message-id"),
        provider_id=text(data, "message", "headers", "message-id"),
        is_vouched=True,
        token=f"mailgun:{token}",
    )
    if event.happening is not Happening.BOUNCED:
        return [event]
    told = " ".join(text(data, "delivery-status", key) for key in ("code", "message", "description"))
    status = text(data, "delivery-status", "enhanced-code")
    permanent = text(data, "reason") in {"bounce", "suppress-bounce"}
    return [bounced(event, status=status, diagnosis=told.strip(), is_permanent=permanent)]
