"""
Send by Brevo's API, which builds the message from fields.

Our Message-ID travels as `X-Mailin-custom`, which its webhooks give back.
"""

import re
from collections.abc import Mapping
from typing import Final

import httpx
import msgspec

from mailer.deliveries.transport import Receipt, RecipientRefused, TransportError, Uncertain
from mailer.messages.message import Message
from mailer.providers.answer import Answer, receipt_by
from mailer.providers.fields import bare
from mailer.providers.http import HttpTransport, Request, secure
from mailer.providers.mapped import KeySettings, Mapped, in_json
from mailer.providers.registry import Secrets
from mailer.tokens import new_key

_TO: Final = re.compile(r"\bin to\b|\bto\b.{0,12}\b(?:email|is not valid)|recipient", re.IGNORECASE)

_REPEATED: Final = re.compile(r"duplicate|idempoten", re.IGNORECASE)


class Settings(KeySettings, frozen=True):
    """`[transports.<name>]` with `kind = "brevo"`."""

    url: str = "https://api.brevo.com"


def make(settings: Settings, name: str, secrets: Secrets) -> HttpTransport:
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: The key isn't set, or `url` is not https.

    """
    key = secrets("key_env", settings.key_env)
    api = Brevo(secure(settings.url, name), key, signs_itself=settings.signs_itself)
    return HttpTransport(api, name=name, timeouts=settings.timeouts)


class Brevo(Mapped):
    """What is special about Brevo."""

    provider = "Brevo"
    probe = "/v3/account"

    def __init__(self, url: str, key: str, *, signs_itself: bool) -> None:
        super().__init__(url, signs_itself=signs_itself)
        self._key = key

    async def identify(self, client: httpx.AsyncClient) -> Mapping[str, str]:  # noqa: ARG002 - a key for good
        """The API key."""
        return {"api-key": self._key, "Accept": "application/json"}

    def write(self, message: Message) -> Request:
        """The message in Brevo's fields."""
        parts = self.fields(message)
        body = {
            "sender": parts.sender.table,
            "to": [parts.to.table],
            "replyTo": parts.reply_to.table if parts.reply_to else None,
            "subject": parts.subject,
            "htmlContent": parts.html or None,
            "textContent": parts.text or None,
            # A UUID, in the headers of the body, good for 30 minutes: so each try has a key of its own, and what is
            # put off and tried again isn't taken for a repetition.
            "headers": {
                **parts.headers,
                "X-Mailin-custom": bare(message.message_id),
                "idempotencyKey": new_key(),
            },
        }
        return msgspec.structs.replace(in_json("/v3/smtp/email", body), is_idempotent=True)

    def receipt(self, answer: Answer) -> Receipt:
        """Brevo's id."""
        return receipt_by(answer, "messageId")

    def refusal(self, answer: Answer) -> TransportError | None:
        """An invalid parameter that is `to` means the recipient; a repetition says nothing of the first."""
        code, said = answer.table.get("code", ""), str(answer.table.get("message", ""))
        if _REPEATED.search(f"{code} {said}"):
            return Uncertain(answer.words, code=answer.status)
        if answer.status == httpx.codes.BAD_REQUEST and code == "invalid_parameter" and _TO.search(said):
            return RecipientRefused(answer.words, code=answer.status)
        return None
