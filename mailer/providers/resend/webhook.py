"""Resend's webhooks, signed the way of Svix: an HMAC over id, time stamp and body; several while a key changes."""

import hmac
from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from mailer.feedback.event import Event, Happening
from mailer.feedback.webhook import Headers, WebhookRefused, bounced, decode, event_id, instant, near, text, unbase64

_WINDOW: Final = timedelta(minutes=5)
_HAPPENINGS: Final = {
    "email.delivered": Happening.DELIVERED,
    "email.delivery_delayed": Happening.DEFERRED,
    "email.bounced": Happening.BOUNCED,
    "email.failed": Happening.BOUNCED,
    "email.suppressed": Happening.BOUNCED,
    "email.complained": Happening.COMPLAINED,
    "email.opened": Happening.OPENED,
    "email.clicked": Happening.CLICKED,
}
_TOLD: Final = (("bounce", "message"), ("failed", "reason"), ("suppressed", "message"))


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The signing secret, `whsec_…`."""

    secret: str


def receive(keys: Keys, headers: Headers, body: bytes, now: datetime) -> list[Event]:
    """
    The events of one call, one a recipient.

    Raises:
        WebhookRefused: The signature is wrong or the call stale.

    """
    named, stamp = headers.get("svix-id", ""), headers.get("svix-timestamp", "")
    secret = unbase64(keys.secret.removeprefix("whsec_"))
    signed = hmac.digest(secret, f"{named}.{stamp}.".encode() + body, "sha256")
    expected = b"v1," + b64encode(signed)
    given = headers.get("svix-signature", "").split()
    if not any(hmac.compare_digest(expected, one.encode()) for one in given):
        raise WebhookRefused("wrong signature")
    near(stamp, now, _WINDOW)
    return _events(decode(body), named, now)


def _events(payload: Any, named: str, now: datetime) -> list[Event]:
    happening = _HAPPENINGS.get(text(payload, "type"))
    data = payload.get("data") if isinstance(payload, dict) else None
    if happening is None or not isinstance(data, dict):
        return []
    recipients = data.get("to") if isinstance(data.get("to"), list) else [text(data, "to")]
    events = [
        Event(
            id=event_id("resend", named, str(number)),
            happening=happening,
            at=instant(text(payload, "created_at"), now),
            source="resend",
            address=str(address),
            message_id=_ours(data.get("tags")) or text(data, "message_id"),
            provider_id=text(data, "email_id"),
            is_vouched=True,
        )
        for number, address in enumerate(recipients or [])
    ]
    return [_judged(event, data) for event in events] if happening is Happening.BOUNCED else events


def _judged(event: Event, data: dict[str, Any]) -> Event:
    is_permanent = text(data, "bounce", "type") == "Permanent"
    is_permanent = is_permanent and text(data, "bounce", "subType") in {"General", "NoEmail"}
    told = " ".join(text(data, *path) for path in _TOLD).strip()
    return bounced(event, diagnosis=told, is_permanent=is_permanent)


def _ours(tags: Any) -> str:
    """The Message-ID by the tag `delivery` that the transport sends along; tags come as a table or as a list."""
    if isinstance(tags, list):
        tags = {text(one, "name"): text(one, "value") for one in tags}
    token = text(tags, "delivery").replace("_", ".")
    return f"{token}@resend" if token else ""
