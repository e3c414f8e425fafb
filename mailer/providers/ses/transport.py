"""
Send by Amazon SES (API v2), which takes the message as it is but for Message-ID and Date, which it writes anew.

Its events give our own Message-ID back among the original headers.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec

from mailer.clock import Clock, SystemClock
from mailer.deliveries.transport import Receipt, RecipientRefused, Throttled, TransportDown, TransportError
from mailer.messages.message import Message
from mailer.providers.answer import Answer, receipt_by, retry_after
from mailer.providers.http import HttpTransport, Request, Timeouts, secure
from mailer.providers.registry import Secrets
from mailer.providers.ses.signature import Credentials, Scope, signed_headers

_PATH: Final = "/v2/email/outbound-emails"
_PASSING: Final = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})
_DAILY: Final = 600.0  # what AWS advises to wait at most, as its answers don't say
_ILLEGAL: Final = re.compile(
    r"illegal address|missing final '@domain'|missing '@domain'|local address|domain (?:contains|starts|ends)"
    r"|domain name too long|invalid (?:email|to) address|address is on the suppression list",
    re.IGNORECASE,
)
_OURS: Final = re.compile(r"\bfrom\b|not verified|sender", re.IGNORECASE)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[transports.<name>]` with `kind = "ses"`; `configuration_set` is what publishes the events."""

    region: str
    key_id_env: str = "AWS_ACCESS_KEY_ID"
    secret_key_env: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
    session_token_env: str = ""
    configuration_set: str = ""
    url: str = ""
    timeouts: Timeouts = Timeouts()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9-]+", self.region):
            raise ValueError('region is one of AWS, as in "sa-east-1"')


def make(settings: Settings, name: str, secrets: Secrets) -> HttpTransport:
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: A key isn't set, or `url` is not https.

    """
    variable = settings.session_token_env
    credentials = Credentials(
        key_id=secrets("key_id_env", settings.key_id_env),
        secret=secrets("secret_key_env", settings.secret_key_env),
        session=secrets("session_token_env", variable) if variable else "",
    )
    url = secure(settings.url or f"https://email.{settings.region}.amazonaws.com", name)
    api = Ses(url, credentials, settings.region, settings.configuration_set, SystemClock())
    return HttpTransport(api, name=name, timeouts=settings.timeouts)


class Ses:
    """What is special about SES."""

    probe = ""  # a policy may allow to send and nothing else

    def __init__(self, url: str, credentials: Credentials, region: str, configuration_set: str, clock: Clock) -> None:
        self.url = url
        self._credentials = credentials
        self._scope = Scope(region, "ses")
        self._configuration_set = configuration_set
        self._clock = clock

    async def identify(self, client: httpx.AsyncClient) -> Mapping[str, str]:  # noqa: ARG002 - it is in the signature
        """Nothing: each request is signed."""
        return {}

    def write(self, message: Message) -> Request:
        """The bytes in base64, signed for now."""
        body: dict[str, Any] = {
            "Destination": {"ToAddresses": [message.recipient]},
            "Content": {"Raw": {"Data": b64encode(message.content).decode()}},
        }
        if self._configuration_set:
            body["ConfigurationSetName"] = self._configuration_set
        content = msgspec.json.encode(body)
        place = httpx.URL(self.url + _PATH)
        headers = signed_headers(
            self._credentials,
            self._scope,
            method="POST",
            path=place.raw_path.decode(),
            headers={"Content-Type": "application/json", "Host": place.netloc.decode()},
            content=content,
            now=self._clock.now(),
        )
        return Request(_PATH, content, headers)

    def receipt(self, answer: Answer) -> Receipt:
        """SES's id."""
        return receipt_by(answer, "MessageId")

    def refusal(self, answer: Answer) -> TransportError | None:
        """What the kind of error says more than the status: SES calls nearly everything a 400."""
        kind = answer.header("x-amzn-errortype").partition(":")[0]
        words = answer.words.lower()
        if kind in _PASSING or "rate exceeded" in words or "quota exceeded" in words:
            asked = retry_after(answer) or (_DAILY if "daily" in words else 0.0)
            return Throttled(answer.words, code=answer.status, retry_after=asked)
        if kind in {"AccountSuspendedException", "SendingPausedException", "MailFromDomainNotVerifiedException"}:
            return TransportDown(answer.words, code=answer.status)
        if (
            answer.status == httpx.codes.BAD_REQUEST
            and _ILLEGAL.search(answer.words)
            and not _OURS.search(answer.words)
        ):
            return RecipientRefused(answer.words, code=answer.status)
        return None
