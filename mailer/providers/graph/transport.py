"""Send from a mailbox of Microsoft 365 by Microsoft Graph, which takes the message in MIME."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

import httpx
import msgspec

from mailer.deliveries.transport import Receipt, RecipientRefused, TransportDown, TransportError, Uncertain
from mailer.messages.message import Message
from mailer.providers.answer import Answer
from mailer.providers.http import HttpTransport, Request, Timeouts, Trace, secure
from mailer.providers.oauth import OAuth, Tokens, tokens
from mailer.providers.registry import Secrets

_MAX: Final = 4 << 20  # what one request may hold
_THEIRS: Final = frozenset({"ErrorInvalidRecipients", "ErrorRecipientNotFound"})


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[transports.<name>]` with `kind = "graph"`; `mailbox` is the user whose mailbox sends."""

    mailbox: str
    token_env: str = ""
    oauth: OAuth = OAuth()
    url: str = "https://graph.microsoft.com"
    timeouts: Timeouts = Timeouts()


def make(settings: Settings, name: str, secrets: Secrets) -> HttpTransport:
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: No source of tokens or two, a secret isn't set, or `url` is not https.

    """
    oauth = settings.oauth
    if oauth.token_url and not oauth.scope:
        oauth = msgspec.structs.replace(oauth, scope="https://graph.microsoft.com/.default")
    source = tokens(oauth, settings.token_env, name=name, secrets=secrets)
    api = Graph(secure(settings.url, name), settings.mailbox, source)
    return HttpTransport(api, name=name, timeouts=settings.timeouts)


class Graph:
    """What is special about Graph."""

    probe = ""  # Mail.Send allows to send and nothing else

    def __init__(self, url: str, mailbox: str, source: Tokens) -> None:
        self.url = url
        self._user = f"/v1.0/users/{quote(mailbox)}"
        self._tokens = source

    async def identify(self, client: httpx.AsyncClient) -> Mapping[str, str]:  # noqa: ARG002 - tokens come from elsewhere
        """A token that is good now."""
        return {"Authorization": f"Bearer {await self._tokens.current()}"}

    def write(self, message: Message) -> Request:
        """The bytes in base64; the recipient is the one of the To field."""
        content = b64encode(message.content)
        if len(content) > _MAX:
            raise TransportDown("Microsoft Graph takes messages of 3 MB at most; make the issue smaller or use SMTP")
        named = message.message_id.replace("'", "''")
        asked = {"$filter": f"internetMessageId eq '{named}'", "$select": "id", "$top": 1}
        trace = Trace(f"{self._user}/mailFolders/sentitems/messages?{urlencode(asked)}", items="value", named="id")
        return Request(f"{self._user}/sendMail", content, {"Content-Type": "text/plain"}, trace=trace)

    def receipt(self, answer: Answer) -> Receipt:
        """Graph says 202 and nothing else."""
        if answer.status != httpx.codes.ACCEPTED:
            raise Uncertain(f"a yes that is none of the API's: {answer.words}", code=answer.status)
        return Receipt(reply=answer.words)

    def refusal(self, answer: Answer) -> TransportError | None:
        """The error's code says whether the recipient is meant."""
        if answer.status == httpx.codes.UNAUTHORIZED:
            self._tokens.forget()
        error = answer.table.get("error")
        if isinstance(error, dict) and error.get("code") in _THEIRS:
            return RecipientRefused(answer.words, code=answer.status)
        return None
