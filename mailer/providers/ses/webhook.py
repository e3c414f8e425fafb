"""
Amazon SES events by SNS: one message a call, signed with RSA by a certificate of SNS (signature versions 1 and 2).

A call names the certificate to check it by and, once, an address to confirm the subscription at. Neither is fetched:
the certificates are set up beside the topic, and a person confirms (docs/bounces.md). A call that names a certificate
of any other host than SNS's own in the topic's region is none of SNS's.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificates

from mailer.feedback.event import Event, Happening
from mailer.feedback.webhook import Headers, WebhookRefused, bounced, decode, event_id, instant, text, unbase64

_WINDOW: Final = timedelta(hours=24)  # SNS repeats a call that failed under its first time stamp
_SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_CERTIFICATE: Final = re.compile(
    r"https://sns\.(?P<region>[a-z0-9-]{1,40})\.amazonaws\.com(?:\.cn)?/(?P<file>[A-Za-z0-9-]{1,120}\.pem)"
)
_HAPPENINGS: Final = {
    "Delivery": (Happening.DELIVERED, "delivery", "recipients"),
    "DeliveryDelay": (Happening.DEFERRED, "deliveryDelay", "delayedRecipients"),
    "Bounce": (Happening.BOUNCED, "bounce", "bouncedRecipients"),
    "Complaint": (Happening.COMPLAINED, "complaint", "complainedRecipients"),
    "Reject": (Happening.BOUNCED, "reject", ""),
    "Subscription": (Happening.UNSUBSCRIBED, "subscription", ""),
    "Open": (Happening.OPENED, "open", ""),
    "Click": (Happening.CLICKED, "click", ""),
}


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The topics that are ours, and the certificates of SNS in their region (PEM, several while AWS renews them)."""

    topics: tuple[str, ...]
    certificate: str


class Confirmation(WebhookRefused):
    """SNS asks to confirm a subscription: a person opens `url`, if they set it up."""

    def __init__(self, url: str) -> None:
        super().__init__("a subscription waits to be confirmed", 202)
        self.url = url


def receive(keys: Keys, headers: Headers, body: bytes, now: datetime) -> list[Event]:  # noqa: ARG001 - it is all in the body
    """
    The events of one call, one a recipient.

    Raises:
        Confirmation: The call asks to confirm the subscription of a topic of ours.
        WebhookRefused: The topic is not ours, the signature wrong or the call stale.

    """
    envelope = decode(body)
    if not isinstance(envelope, dict) or text(envelope, "TopicArn") not in keys.topics:
        raise WebhookRefused("not a topic of ours")
    _verify(keys, envelope, now)
    if abs(now - instant(text(envelope, "Timestamp"), now - 2 * _WINDOW)) > _WINDOW:
        raise WebhookRefused("the call is stale")
    if text(envelope, "Type") == "SubscriptionConfirmation":
        raise Confirmation(text(envelope, "SubscribeURL"))
    try:
        return _events(msgspec.json.decode(text(envelope, "Message")), text(envelope, "MessageId"), now)
    except msgspec.DecodeError:
        return []  # SNS's own greetings are no JSON


def _verify(keys: Keys, envelope: Mapping[str, Any], now: datetime) -> None:
    names = _SIGNED.get(text(envelope, "Type"))
    digest = {"1": SHA1, "2": SHA256}.get(text(envelope, "SignatureVersion"))
    if names is None or digest is None:
        raise WebhookRefused("an unknown kind of call")
    canonical = "".join(f"{name}\n{envelope[name]}\n" for name in names if envelope.get(name) is not None)
    named = _certificate_name(envelope)
    signature = unbase64(text(envelope, "Signature"))
    for certificate in _certificates(keys):
        key = certificate.public_key()
        if certificate.not_valid_after_utc < now or not isinstance(key, rsa.RSAPublicKey):
            continue
        with suppress(InvalidSignature):
            key.verify(signature, canonical.encode(), padding.PKCS1v15(), digest())
            return
    raise WebhookRefused(f"signed by none of the certificates of certificate_file; the call names {named}")


def _certificates(keys: Keys) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(keys.certificate.encode())
    except ValueError:
        raise WebhookRefused("certificate_file holds no certificate", 503) from None


def _certificate_name(envelope: Mapping[str, Any]) -> str:
    """The file of SNS that a call says it is signed by, for the log; refused where the host is not SNS's."""
    region = (text(envelope, "TopicArn").split(":") + [""] * 4)[3]
    found = _CERTIFICATE.fullmatch(text(envelope, "SigningCertURL"))
    if found is None or found["region"] != region:
        raise WebhookRefused("the call names a certificate that is none of SNS in the topic's region")
    return found["file"]


def _events(message: Any, named: str, now: datetime) -> list[Event]:
    kind = text(message, "eventType") or text(message, "notificationType")
    happening, section, key = _HAPPENINGS.get(kind, (None, "", ""))
    if happening is None:
        return []
    detail = message.get(section) or {}
    if not _counts(happening, detail):
        return []
    found = detail.get(key) if key else (message.get("mail") or {}).get("destination")
    events = []
    for number, one in enumerate(found if isinstance(found, list) else []):
        event = Event(
            id=event_id("ses", named, str(number)),
            happening=happening,
            at=instant(text(detail, "timestamp"), now),
            source="ses",
            address=text(one, "emailAddress") if isinstance(one, dict) else str(one),
            message_id=text(message, "mail", "commonHeaders", "messageId"),
            provider_id=text(message, "mail", "messageId"),
            is_vouched=True,
        )
        if happening is Happening.BOUNCED:
            permanent = text(detail, "bounceType") == "Permanent" and text(detail, "bounceSubType") in {
                "General",
                "NoEmail",
                "OnAccountSuppressionList",
            }
            event = bounced(
                event,
                status=text(one, "status"),
                diagnosis=text(one, "diagnosticCode") or text(detail, "reason"),
                is_permanent=permanent,
            )
        events.append(event)
    return events


def _counts(happening: Happening, detail: Any) -> bool:
    """Whether a complaint is one, and a change of preferences a wish to leave: SES reports the contrary under both."""
    if happening is Happening.COMPLAINED:
        return text(detail, "complaintFeedbackType") != "not-spam"
    if happening is Happening.UNSUBSCRIBED:
        preferences = detail.get("newTopicPreferences") or {}
        return preferences.get("unsubscribeAll") is True
    return True
