"""
Send by Postmark's API, which builds the message from fields.

Our Message-ID travels as the metadata `message-id`, which its webhooks give back.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import httpx

from mailer.deliveries.transport import Receipt, RecipientRefused, Throttled, TransportDown, TransportError
from mailer.messages.message import Message
from mailer.providers.answer import Answer, receipt_by, retry_after
from mailer.providers.fields import bare
from mailer.providers.http import HttpTransport, Request, Trace, secure
from mailer.providers.mapped import Mapped, MappedSettings, in_json
from mailer.providers.registry import Secrets

_INVALID: Final = 300  # "Invalid email request", whose words say which field
_INACTIVE: Final = 406  # "Inactive recipient": bounced or complained before
_PASSING: Final = frozenset({100, 429})  # maintenance; too fast
_LONGEST_METADATA: Final = 80


class Settings(MappedSettings, frozen=True, kw_only=True):
    """`[transports.<name>]` with `kind = "postmark"`; newsletters go by a stream of the kind "broadcasts"."""

    token_env: str
    stream: str = "broadcast"
    url: str = "https://api.postmarkapp.com"


def make(settings: Settings, name: str, secrets: Secrets) -> HttpTransport:
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: The token isn't set, or `url` is not https.

    """
    token = secrets("token_env", settings.token_env)
    api = Postmark(secure(settings.url, name), token, settings.stream, signs_itself=settings.signs_itself)
    return HttpTransport(api, name=name, timeouts=settings.timeouts)


class Postmark(Mapped):
    """What is special about Postmark."""

    provider = "Postmark"
    probe = "/server"

    def __init__(self, url: str, token: str, stream: str, *, signs_itself: bool) -> None:
        super().__init__(url, signs_itself=signs_itself)
        self._token = token
        self._stream = stream

    async def identify(self, client: httpx.AsyncClient) -> Mapping[str, str]:  # noqa: ARG002 - a token for good
        """The server's token."""
        return {"X-Postmark-Server-Token": self._token, "Accept": "application/json"}

    def write(self, message: Message) -> Request:
        """The message in Postmark's fields; opens and clicks are not tracked."""
        parts = self.fields(message)
        named = bare(message.message_id)[:_LONGEST_METADATA]  # the token stands first
        headers = {"Message-ID": message.message_id, "X-PM-KeepID": "true", **parts.headers}
        body = {
            "From": str(parts.sender),
            "To": str(parts.to),
            "ReplyTo": str(parts.reply_to) if parts.reply_to else None,
            "Subject": parts.subject,
            "TextBody": parts.text or None,
            "HtmlBody": parts.html or None,
            "Headers": [{"Name": name, "Value": value} for name, value in headers.items()],
            "Metadata": {"message-id": named},
            "MessageStream": self._stream,
            "TrackOpens": False,
            "TrackLinks": "None",
        }
        asked = {"count": 1, "offset": 0, "messagestream": self._stream, "metadata_message-id": named}
        trace = Trace(f"/messages/outbound?{urlencode(asked)}", items="Messages", named="MessageID")
        return in_json("/email", body, trace=trace)

    def receipt(self, answer: Answer) -> Receipt:
        """Postmark's id; a 2xx with an error code is a refusal all the same."""
        data = answer.data
        if isinstance(data, dict) and data.get("ErrorCode"):
            raise self.refusal(answer) or TransportDown(answer.words, code=answer.status)
        return receipt_by(answer, "MessageID")

    def refusal(self, answer: Answer) -> TransportError | None:
        """What the error code says more than the status."""
        code, words = answer.table.get("ErrorCode"), str(answer.table.get("Message", ""))
        if code == _INACTIVE or (code == _INVALID and "'To'" in words):
            return RecipientRefused(answer.words, code=answer.status)
        if code in _PASSING:
            return Throttled(answer.words, code=answer.status, retry_after=retry_after(answer))
        return None
