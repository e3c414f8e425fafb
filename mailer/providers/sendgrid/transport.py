"""
Send by SendGrid's API, which builds the message from fields.

Our Message-ID travels as the custom argument `message-id`, which each event gives back.
"""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from mailer.deliveries.transport import Receipt, RecipientRefused, TransportError
from mailer.messages.message import Message
from mailer.providers.fields import Person, bare, fields
from mailer.providers.http import Answer, HttpTransport, Request, Timeouts, secure
from mailer.providers.registry import Secrets


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[transports.<name>]` with `kind = "sendgrid"`; of the EU, `url` is another."""

    key_env: str
    url: str = "https://api.sendgrid.com"
    timeouts: Timeouts = Timeouts()


def make(settings: Settings, name: str, secrets: Secrets) -> HttpTransport:
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: The key isn't set, or `url` is not https.

    """
    api = SendGrid(secure(settings.url, name), secrets("key_env", settings.key_env))
    return HttpTransport(api, name=name, timeouts=settings.timeouts)


class SendGrid:
    """What is special about SendGrid."""

    probe = "/v3/scopes"

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._key = key

    async def identify(self, client: httpx.AsyncClient) -> Mapping[str, str]:  # noqa: ARG002 - a key for good
        """The API key."""
        return {"Authorization": f"Bearer {self._key}"}

    def write(self, message: Message) -> Request:
        """The message in SendGrid's fields, text first; nothing is tracked and no footer added."""
        parts = fields(message, "SendGrid")
        kinds = (("text/plain", parts.text), ("text/html", parts.html))
        body: dict[str, Any] = {
            "personalizations": [{"to": [_mailbox(parts.to)]}],
            "from": _mailbox(parts.sender),
            "subject": parts.subject,
            "content": [{"type": kind, "value": value} for kind, value in kinds if value],
            "headers": {"Message-ID": message.message_id, **parts.headers},
            "custom_args": {"message-id": bare(message.message_id)},
            "tracking_settings": {
                "click_tracking": {"enable": False},
                "open_tracking": {"enable": False},
                "subscription_tracking": {"enable": False},
            },
        }
        if parts.reply_to:
            body["reply_to"] = _mailbox(parts.reply_to)
        return Request("/v3/mail/send", msgspec.json.encode(body), {"Content-Type": "application/json"})

    def receipt(self, answer: Answer) -> Receipt:
        """SendGrid's id stands in a header; the body is empty."""
        return Receipt(reply=answer.words, provider_id=answer.header("x-message-id"))

    def refusal(self, answer: Answer) -> TransportError | None:
        """A 400 whose every error is in the recipient's field means the recipient."""
        data = answer.data
        errors = data.get("errors") if isinstance(data, dict) else None
        named = [str(error.get("field") or "") for error in errors or [] if isinstance(error, dict)]
        is_about_them = bool(named) and all(name.startswith("personalizations.0.to") for name in named)
        if answer.status == httpx.codes.BAD_REQUEST and is_about_them:
            return RecipientRefused(answer.words, code=answer.status)
        return None


def _mailbox(person: Person) -> dict[str, str]:
    return {"email": person.address, **({"name": person.name} if person.name else {})}
