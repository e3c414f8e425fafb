"""
Send by Resend's API, which builds the message from fields and takes each idempotency key once.

Our Message-ID is that key, and its token travels as the tag `delivery`, which the webhooks give back.
"""

import re
from typing import Final

from mailer.deliveries.transport import Deferred, Receipt, RecipientRefused, TransportDown, TransportError, Uncertain
from mailer.messages.message import Message
from mailer.providers.answer import Answer, receipt_by
from mailer.providers.fields import bare
from mailer.providers.http import HttpTransport, Request, secure
from mailer.providers.mapped import Bearer, KeySettings, in_json
from mailer.providers.registry import Secrets

_TO: Final = re.compile(r"`to`", re.IGNORECASE)
_LONGEST_KEY: Final = 256


class Settings(KeySettings, frozen=True):
    """`[transports.<name>]` with `kind = "resend"`."""

    url: str = "https://api.resend.com"


def make(settings: Settings, name: str, secrets: Secrets) -> HttpTransport:
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: The key isn't set, or `url` is not https.

    """
    key = secrets("key_env", settings.key_env)
    api = Resend(secure(settings.url, name), key, signs_itself=settings.signs_itself)
    return HttpTransport(api, name=name, timeouts=settings.timeouts)


def tag(message_id: str) -> str:
    """
    The token of a Message-ID, as a tag may be written: a dot becomes an underscore, which no token holds.

    >>> tag("<k-3-42.abc@quito.example>")
    'k-3-42_abc'
    """
    token = bare(message_id).partition("@")[0].replace(".", "_")
    return re.sub(r"[^A-Za-z0-9_-]", "-", token)[:_LONGEST_KEY]


class Resend(Bearer):
    """What is special about Resend."""

    provider = "Resend"
    probe = ""  # a sending key may send and nothing else

    def write(self, message: Message) -> Request:
        """The message in Resend's fields."""
        parts = self.fields(message)
        body = {
            "from": str(parts.sender),
            "to": [str(parts.to)],
            "reply_to": str(parts.reply_to) if parts.reply_to else None,
            "subject": parts.subject,
            "html": parts.html or None,
            "text": parts.text or None,
            "headers": {"Message-ID": message.message_id, **parts.headers},
            "tags": [{"name": "delivery", "value": tag(message.message_id)}],
        }
        return in_json("/emails", body, key=bare(message.message_id)[:_LONGEST_KEY])

    def receipt(self, answer: Answer) -> Receipt:
        """Resend's id."""
        return receipt_by(answer, "id")

    def refusal(self, answer: Answer) -> TransportError | None:
        """What the error's name says more than the status."""
        name, words = str(answer.table.get("name", "")), str(answer.table.get("message", ""))
        if name.endswith("quota_exceeded"):
            return TransportDown(answer.words, code=answer.status)
        if name == "concurrent_idempotent_requests":
            return Deferred(answer.words, code=answer.status)
        if name == "invalid_idempotent_request":  # something else was sent under this key before
            return Uncertain(answer.words, code=answer.status)
        if answer.status in {400, 422} and _TO.search(words):
            return RecipientRefused(answer.words, code=answer.status)
        return None
