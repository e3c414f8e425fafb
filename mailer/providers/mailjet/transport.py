"""
Send by Mailjet's API 3.1, which builds the message from fields.

Our Message-ID travels as `CustomID`, which its events give back.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from mailer.deliveries.transport import Receipt, RecipientRefused, TransportDown, TransportError, Uncertain
from mailer.messages.message import Message
from mailer.providers.answer import Answer
from mailer.providers.fields import Person, bare
from mailer.providers.http import HttpTransport, Request, Trace, secure
from mailer.providers.mapped import KeySettings, Mapped, in_json
from mailer.providers.registry import Secrets


class Settings(KeySettings, frozen=True, kw_only=True):
    """`[transports.<name>]` with `kind = "mailjet"`: the API key, and its secret."""

    secret_key_env: str
    url: str = "https://api.mailjet.com"


def make(settings: Settings, name: str, secrets: Secrets) -> HttpTransport:
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: A key isn't set, or `url` is not https.

    """
    login = secrets("key_env", settings.key_env), secrets("secret_key_env", settings.secret_key_env)
    api = Mailjet(secure(settings.url, name), *login, signs_itself=settings.signs_itself)
    return HttpTransport(api, name=name, timeouts=settings.timeouts)


class Mailjet(Mapped):
    """What is special about Mailjet."""

    provider = "Mailjet"
    probe = ""  # which paths a key may read depends on its rights

    def __init__(self, url: str, key: str, secret: str, *, signs_itself: bool) -> None:
        super().__init__(url, signs_itself=signs_itself)
        self._login = httpx.BasicAuth(key, secret)

    async def identify(self, client: httpx.AsyncClient) -> Mapping[str, str]:
        """Basic authentication."""
        request = next(self._login.auth_flow(client.build_request("GET", "/")))
        return {"Authorization": request.headers["Authorization"]}

    def write(self, message: Message) -> Request:
        """The message in Mailjet's fields; opens and clicks are not tracked."""
        parts = self.fields(message)
        one = {
            "From": _mailbox(parts.sender),
            "To": [_mailbox(parts.to)],
            "ReplyTo": _mailbox(parts.reply_to) if parts.reply_to else None,
            "Subject": parts.subject,
            "TextPart": parts.text or None,
            "HTMLPart": parts.html or None,
            "CustomID": bare(message.message_id),
            "Headers": parts.headers,
            "TrackOpens": "disabled",
            "TrackClicks": "disabled",
        }
        trace = Trace(f"/v3/REST/message?{urlencode({'CustomID': one['CustomID']})}", items="Data", named="ID")
        body = {"Messages": [{key: value for key, value in one.items() if value is not None}]}
        return in_json("/v3.1/send", body, trace=trace)

    def receipt(self, answer: Answer) -> Receipt:
        """Mailjet's id; it may say 200 and yet refuse the one message."""
        one = _one(answer)
        status = one.get("Status")
        if status == "error":
            raise self.refusal(answer) or TransportDown(answer.words, code=answer.status)
        if status != "success":
            raise Uncertain(answer.words, code=answer.status)
        taken = one.get("To")
        first = taken[0] if isinstance(taken, list) and taken and isinstance(taken[0], dict) else {}
        return Receipt(reply=answer.words, provider_id=str(first.get("MessageID") or first.get("MessageUUID") or ""))

    def refusal(self, answer: Answer) -> TransportError | None:
        """Errors that are all related to `To` mean the recipient."""
        errors = [error for error in _one(answer).get("Errors") or [] if isinstance(error, dict)]
        related = [str(place) for error in errors for place in error.get("ErrorRelatedTo") or []]
        if related and all(place.startswith("To") for place in related):
            return RecipientRefused(answer.words, code=answer.status)
        return None


def _one(answer: Answer) -> dict[str, Any]:
    messages = answer.table.get("Messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    return first if isinstance(first, dict) else {}


def _mailbox(person: Person) -> dict[str, str]:
    return {"Email": person.address, **({"Name": person.name} if person.name else {})}
