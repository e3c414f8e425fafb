"""
Send by Brevo's API, which builds the message from fields.

Our Message-ID travels as `X-Mailin-custom`, which its webhooks give back.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec

from mailer.deliveries.transport import Receipt, RecipientRefused, TransportError
from mailer.messages.message import Message
from mailer.providers.fields import Person, bare, fields
from mailer.providers.http import Answer, HttpTransport, Request, Timeouts, secure
from mailer.providers.registry import Secrets

_TO: Final = re.compile(r"\bin to\b|\bto\b.{0,12}\b(?:email|is not valid)|recipient", re.IGNORECASE)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[transports.<name>]` with `kind = "brevo"`."""

    key_env: str
    url: str = "https://api.brevo.com"
    timeouts: Timeouts = Timeouts()


def make(settings: Settings, name: str, secrets: Secrets) -> HttpTransport:
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: The key isn't set, or `url` is not https.

    """
    api = Brevo(secure(settings.url, name), secrets("key_env", settings.key_env))
    return HttpTransport(api, name=name, timeouts=settings.timeouts)


class Brevo:
    """What is special about Brevo."""

    probe = "/v3/account"

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._key = key

    async def identify(self, client: httpx.AsyncClient) -> Mapping[str, str]:  # noqa: ARG002 - a key for good
        """The API key."""
        return {"api-key": self._key, "Accept": "application/json"}

    def write(self, message: Message) -> Request:
        """The message in Brevo's fields."""
        parts = fields(message, "Brevo")
        body: dict[str, Any] = {
            "sender": _mailbox(parts.sender),
            "to": [_mailbox(parts.to)],
            "replyTo": _mailbox(parts.reply_to) if parts.reply_to else None,
            "subject": parts.subject,
            "htmlContent": parts.html or None,
            "textContent": parts.text or None,
            "headers": {**parts.headers, "X-Mailin-custom": bare(message.message_id)},
        }
        content = msgspec.json.encode({key: value for key, value in body.items() if value is not None})
        return Request("/v3/smtp/email", content, {"Content-Type": "application/json"})

    def receipt(self, answer: Answer) -> Receipt:
        """Brevo's id."""
        data = answer.data
        return Receipt(reply=answer.words, provider_id=str(data.get("messageId", "")) if isinstance(data, dict) else "")

    def refusal(self, answer: Answer) -> TransportError | None:
        """An invalid parameter that is `to` means the recipient."""
        data = answer.data
        if answer.status != httpx.codes.BAD_REQUEST or not isinstance(data, dict):
            return None
        if data.get("code") == "invalid_parameter" and _TO.search(str(data.get("message", ""))):
            return RecipientRefused(answer.words, code=answer.status)
        return None


def _mailbox(person: Person) -> dict[str, str]:
    return {"email": person.address, **({"name": person.name} if person.name else {})}
