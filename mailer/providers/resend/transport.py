"""
Send by Resend's API, which builds the message from fields and takes each idempotency key once.

Our Message-ID is that key, and its token travels as the tag `delivery`, which the webhooks give back.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec

from mailer.deliveries.transport import Deferred, Receipt, RecipientRefused, TransportDown, TransportError, Uncertain
from mailer.messages.message import Message
from mailer.providers.fields import bare, fields
from mailer.providers.http import Answer, HttpTransport, Request, Timeouts, secure
from mailer.providers.registry import Secrets

_TO: Final = re.compile(r"`to`", re.IGNORECASE)
_LONGEST_KEY: Final = 256


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[transports.<name>]` with `kind = "resend"`."""

    key_env: str
    url: str = "https://api.resend.com"
    timeouts: Timeouts = Timeouts()


def make(settings: Settings, name: str, secrets: Secrets) -> HttpTransport:
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: The key isn't set, or `url` is not https.

    """
    api = Resend(secure(settings.url, name), secrets("key_env", settings.key_env))
    return HttpTransport(api, name=name, timeouts=settings.timeouts)


def tag(message_id: str) -> str:
    """
    The token of a Message-ID, as a tag may be written: a dot becomes an underscore, which no token holds.

    >>> tag("<k-3-42.abc@quito.example>")
    'k-3-42_abc'
    """
    token = bare(message_id).partition("@")[0].replace(".", "_")
    return re.sub(r"[^A-Za-z0-9_-]", "-", token)[:_LONGEST_KEY]


class Resend:
    """What is special about Resend."""

    probe = ""  # a sending key may send and nothing else

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._key = key

    async def identify(self, client: httpx.AsyncClient) -> Mapping[str, str]:  # noqa: ARG002 - a key for good
        """The API key."""
        return {"Authorization": f"Bearer {self._key}"}

    def write(self, message: Message) -> Request:
        """The message in Resend's fields."""
        parts = fields(message, "Resend")
        body: dict[str, Any] = {
            "from": str(parts.sender),
            "to": [str(parts.to)],
            "reply_to": str(parts.reply_to) if parts.reply_to else None,
            "subject": parts.subject,
            "html": parts.html or None,
            "text": parts.text or None,
            "headers": {"Message-ID": message.message_id, **parts.headers},
            "tags": [{"name": "delivery", "value": tag(message.message_id)}],
        }
        content = msgspec.json.encode({key: value for key, value in body.items() if value is not None})
        headers = {"Content-Type": "application/json", "Idempotency-Key": bare(message.message_id)[:_LONGEST_KEY]}
        return Request("/emails", content, headers, is_idempotent=True)

    def receipt(self, answer: Answer) -> Receipt:
        """Resend's id."""
        data = answer.data
        return Receipt(reply=answer.words, provider_id=str(data.get("id", "")) if isinstance(data, dict) else "")

    def refusal(self, answer: Answer) -> TransportError | None:
        """What the error's name says more than the status."""
        data = answer.data
        name = str(data.get("name", "")) if isinstance(data, dict) else ""
        words = str(data.get("message", "")) if isinstance(data, dict) else ""
        if name.endswith("quota_exceeded"):
            return TransportDown(answer.words, code=answer.status)
        if name == "concurrent_idempotent_requests":
            return Deferred(answer.words, code=answer.status)
        if name == "invalid_idempotent_request":  # something else was sent under this key before
            return Uncertain(answer.words, code=answer.status)
        if answer.status in {400, 422} and _TO.search(words):
            return RecipientRefused(answer.words, code=answer.status)
        return None
