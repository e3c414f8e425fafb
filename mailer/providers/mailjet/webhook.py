"""Mailjet's Event API: one event or an array of them, over basic authentication; it signs nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from mailer.feedback.event import Event, Happening
from mailer.feedback.webhook import BasicKeys, Headers, bounced, check_basic, decode, event_id, instant, text

_HAPPENINGS: Final = {
    "sent": Happening.DELIVERED,
    "bounce": Happening.BOUNCED,
    "blocked": Happening.BOUNCED,
    "spam": Happening.COMPLAINED,
    "unsub": Happening.UNSUBSCRIBED,
    "open": Happening.OPENED,
    "click": Happening.CLICKED,
}


Keys = BasicKeys


def receive(keys: Keys, headers: Headers, body: bytes, now: datetime) -> list[Event]:
    """
    The events of one call.

    Raises:
        WebhookRefused: The password is wrong.

    """
    check_basic(headers, keys)
    payload = decode(body)
    calls = payload if isinstance(payload, list) else [payload]
    return [event for one in calls if isinstance(one, dict) and (event := _event(one, now))]


def _event(one: Mapping[str, Any], now: datetime) -> Event | None:
    kind = text(one, "event")
    happening = _HAPPENINGS.get(kind)
    if happening is None:
        return None
    named = text(one, "Message_GUID") or text(one, "MessageID")
    event = Event(
        id=event_id("mailjet", kind, named, text(one, "email"), text(one, "time")),
        happening=happening,
        at=instant(one.get("time"), now),
        source="mailjet",
        address=text(one, "email"),
        message_id=text(one, "CustomID"),  # where the transport puts our Message-ID
        provider_id=text(one, "MessageID"),
        is_vouched=True,
        evidence=msgspec.json.encode(one),
    )
    if happening is not Happening.BOUNCED:
        return event
    told = " ".join(text(one, key) for key in ("error", "comment"))
    return bounced(event, diagnosis=told.strip(), is_permanent=one.get("hard_bounce") is True)
