"""
SendGrid's Event Webhook: an array of events, signed with ECDSA over time stamp and body.

"blocked" is its word for a bounce that is no verdict on the address; "dropped" is its own suppression list at work.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mailer.feedback.event import Event, Happening
from mailer.feedback.webhook import Headers, WebhookRefused, bounced, decode, event_id, instant, near, text, unbase64

_WINDOW: Final = timedelta(minutes=10)
_GROWN: Final = re.compile(r"\.(?:filter|recv)")  # on its way through SendGrid an id gains where it passed
_HAPPENINGS: Final = {
    "delivered": Happening.DELIVERED,
    "deferred": Happening.DEFERRED,
    "bounce": Happening.BOUNCED,
    "dropped": Happening.BOUNCED,
    "spamreport": Happening.COMPLAINED,
    "unsubscribe": Happening.UNSUBSCRIBED,
    "group_unsubscribe": Happening.UNSUBSCRIBED,
    "open": Happening.OPENED,
    "click": Happening.CLICKED,
}


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The verification key that SendGrid shows in its settings: base64 of a DER public key."""

    public_key: str


def receive(keys: Keys, headers: Headers, body: bytes, now: datetime) -> list[Event]:
    """
    The events of one call.

    Raises:
        WebhookRefused: The signature is wrong or the call stale.

    """
    stamp = headers.get("x-twilio-email-event-webhook-timestamp", "")
    signature = unbase64(headers.get("x-twilio-email-event-webhook-signature", ""))
    key = load_der_public_key(unbase64(keys.public_key))
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise WebhookRefused("the key is not one for ECDSA", 500)
    try:
        key.verify(signature, stamp.encode() + body, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise WebhookRefused("wrong signature") from None
    near(stamp, now, _WINDOW)
    payload = decode(body)
    return [event for one in payload if isinstance(one, dict) and (event := _event(one, now))]


def _event(one: Mapping[str, Any], now: datetime) -> Event | None:
    happening = _HAPPENINGS.get(text(one, "event"))
    if happening is None:
        return None
    event = Event(
        id=event_id("sendgrid", text(one, "sg_event_id"), otherwise=one),
        happening=happening,
        at=instant(one.get("timestamp"), now),
        source="sendgrid",
        address=text(one, "email"),
        message_id=text(one, "message-id") or text(one, "smtp-id"),  # our own argument comes first
        provider_id=_GROWN.split(text(one, "sg_message_id"))[0],
        is_vouched=True,
        evidence=msgspec.json.encode(one),
    )
    if happening is not Happening.BOUNCED:
        return event
    permanent = text(one, "event") == "bounce" and text(one, "type") == "bounce"
    return bounced(event, status=text(one, "status"), diagnosis=text(one, "reason"), is_permanent=permanent)
