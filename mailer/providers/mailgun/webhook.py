"""
Mailgun's webhooks: one event a call.

The signature is an HMAC over time stamp and token alone, not over the event: whoever saw one call could sign any other
with it. So each token is good for one call, and that is what makes the signature worth something.
"""

import hmac
from datetime import datetime, timedelta
from typing import Final

import msgspec

from mailer.feedback.event import Event, Happening
from mailer.feedback.webhook import Headers, Spend, WebhookRefused, bounced, decode, instant, near, text

_WINDOW: Final = timedelta(minutes=10)
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


def receive(keys: Keys, headers: Headers, body: bytes, now: datetime, spend: Spend) -> list[Event]:  # noqa: ARG001
    """
    The event of one call.

    Raises:
        WebhookRefused: The signature is wrong, stale or used before.

    """
    payload = decode(body)
    signature = payload.get("signature") if isinstance(payload, dict) else None
    stamp, token = text(signature, "timestamp"), text(signature, "token")
    expected = hmac.new(keys.signing_key.encode(), f"{stamp}{token}".encode(), "sha256").hexdigest()
    if not token or not hmac.compare_digest(expected.encode(), text(signature, "signature").encode()):
        raise WebhookRefused("wrong signature")
    near(stamp, now, _WINDOW)
    if not spend(f"mailgun:{token}"):
        raise WebhookRefused("the token was used before", 406)
    data = payload.get("event-data")
    happening = _HAPPENINGS.get(text(data, "event"))
    if happening is None:
        return []
    temporary = text(data, "severity") == "temporary"
    event = Event(
        id=f"mailgun:{text(data, 'id')}",
        happening=Happening.DEFERRED if happening is Happening.BOUNCED and temporary else happening,
        at=instant(data.get("timestamp"), now),
        source="mailgun",
        address=text(data, "recipient"),
        message_id=text(data, "message", "headers", "message-id"),
        is_vouched=True,
    )
    if event.happening is not Happening.BOUNCED:
        return [event]
    told = " ".join(text(data, "delivery-status", key) for key in ("code", "message", "description"))
    status = text(data, "delivery-status", "enhanced-code")
    permanent = text(data, "reason") in {"bounce", "suppress-bounce"}
    return [bounced(event, status=status, diagnosis=told.strip(), is_permanent=permanent)]
