"""
Send by SendGrid's API, which builds the message from fields.

Our Message-ID travels as the custom argument `message-id`, which each event gives back.
"""

import httpx

from mailer.deliveries.transport import Receipt, RecipientRefused, TransportError, Uncertain
from mailer.messages.message import Message
from mailer.providers.answer import Answer
from mailer.providers.fields import bare
from mailer.providers.http import HttpTransport, Request, secure
from mailer.providers.mapped import Bearer, KeySettings, in_json
from mailer.providers.registry import Secrets


class Settings(KeySettings, frozen=True):
    """`[transports.<name>]` with `kind = "sendgrid"`; of the EU, `url` is another."""

    url: str = "https://api.sendgrid.com"


def make(settings: Settings, name: str, secrets: Secrets) -> HttpTransport:
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: The key isn't set, or `url` is not https.

    """
    key = secrets("key_env", settings.key_env)
    api = SendGrid(secure(settings.url, name), key, signs_itself=settings.signs_itself)
    return HttpTransport(api, name=name, timeouts=settings.timeouts)


class SendGrid(Bearer):
    """What is special about SendGrid."""

    provider = "SendGrid"
    probe = "/v3/scopes"

    def write(self, message: Message) -> Request:
        """The message in SendGrid's fields, text first; nothing is tracked and no footer added."""
        parts = self.fields(message)
        kinds = (("text/plain", parts.text), ("text/html", parts.html))
        body = {
            "personalizations": [{"to": [parts.to.table]}],
            "from": parts.sender.table,
            "reply_to": parts.reply_to.table if parts.reply_to else None,
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
        return in_json("/v3/mail/send", body)

    def receipt(self, answer: Answer) -> Receipt:
        """SendGrid's id stands in a header; the body is empty."""
        if answer.status != httpx.codes.ACCEPTED:  # 200 is the sandbox's, which sends nothing
            raise Uncertain(f"a yes that is none of the API's: {answer.words}", code=answer.status)
        return Receipt(reply=answer.words, provider_id=answer.header("x-message-id"))

    def refusal(self, answer: Answer) -> TransportError | None:
        """A 400 whose every error is in the recipient's field means the recipient."""
        errors = answer.table.get("errors") or []
        named = [str(error.get("field") or "") for error in errors if isinstance(error, dict)]
        is_about_them = bool(named) and all(name.startswith("personalizations.0.to") for name in named)
        if answer.status == httpx.codes.BAD_REQUEST and is_about_them:
            return RecipientRefused(answer.words, code=answer.status)
        return None
