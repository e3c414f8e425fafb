"""Send by Mailgun's API, which takes the message as it is: our bytes, headers and signature."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Literal
from urllib.parse import quote, urlencode

import httpx
import msgspec

from mailer.deliveries.transport import Receipt, RecipientRefused, TransportError
from mailer.messages.message import Message
from mailer.providers.answer import Answer, receipt_by
from mailer.providers.fields import bare
from mailer.providers.http import HttpTransport, Request, Timeouts, Trace, secure
from mailer.providers.registry import Secrets

_TO: Final = re.compile(r"'to' parameter|\bto\b.{0,20} is not a valid address", re.IGNORECASE)
_REGIONS: Final = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[transports.<name>]` with `kind = "mailgun"`; `url` is only for another address than the region's."""

    domain: str
    key_env: str
    region: Literal["us", "eu"] = "us"
    url: str = ""
    timeouts: Timeouts = Timeouts()


def make(settings: Settings, name: str, secrets: Secrets) -> HttpTransport:
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: The key isn't set, or `url` is not https.

    """
    key = secrets("key_env", settings.key_env)
    url = secure(settings.url or _REGIONS[settings.region], name)
    return HttpTransport(Mailgun(url, settings.domain, key), name=name, timeouts=settings.timeouts)


class Mailgun:
    """What is special about Mailgun."""

    probe = ""  # a domain's sending key may send and nothing else

    def __init__(self, url: str, domain: str, key: str) -> None:
        self.url = url
        self._domain = domain
        self._login = httpx.BasicAuth("api", key)

    async def identify(self, client: httpx.AsyncClient) -> Mapping[str, str]:
        """Basic authentication."""
        request = next(self._login.auth_flow(client.build_request("GET", "/")))
        return {"Authorization": request.headers["Authorization"]}

    def write(self, message: Message) -> Request:
        """The bytes as a file of a form, opens and clicks untracked."""
        boundary = "mailer-" + sha256(message.content).hexdigest()[:32]
        told = (("to", message.recipient), ("o:tracking", "no"))
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in told
        ]
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="message"; filename="message.mime"\r\n'
            f"Content-Type: message/rfc822\r\n\r\n"
        )
        content = b"".join((*parts, head.encode(), message.content, f"\r\n--{boundary}--\r\n".encode()))
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        place = f"/v3/{quote(self._domain)}"
        asked = {"message-id": bare(message.message_id), "recipient": message.recipient, "limit": 1}
        trace = Trace(f"{place}/events?{urlencode(asked)}", items="items")
        return Request(f"{place}/messages.mime", content, kind, trace=trace)

    def receipt(self, answer: Answer) -> Receipt:
        """Mailgun's id, which is the message's own Message-ID."""
        return receipt_by(answer, "id")

    def refusal(self, answer: Answer) -> TransportError | None:
        """A 400 that names `to` means the recipient."""
        if answer.status == httpx.codes.BAD_REQUEST and _TO.search(str(answer.table.get("message", ""))):
            return RecipientRefused(answer.words, code=answer.status)
        return None
