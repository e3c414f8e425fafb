"""
One conversation with a provider's HTTP API: the request that hands a message over, and what its answer means.

The body goes out but for its last octet; then `hand_off` is awaited; then that octet leaves. So whatever fails before
it has handed nothing over, and whatever fails behind it without an answer is uncertain (RFC 1047's case, over HTTP).
"""

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Final, Protocol

import httpx
import msgspec

from mailer.deliveries.transport import (
    ConnectionLost,
    Deferred,
    HandOff,
    Receipt,
    RecipientRefused,
    Throttled,
    TransportDown,
    TransportError,
    Uncertain,
)
from mailer.errors import OperatorError
from mailer.messages.message import Message
from mailer.providers.answer import Answer, by_status
from mailer.providers.gate import Gate

# httpcore looks for sniffio at every lock it takes, and where that isn't installed Python searches its whole path each
# time: half of what a request costs. So Python is told once that it isn't there.
if "sniffio" not in sys.modules and find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]  # None is how Python says so

_CHUNK: Final = 64 * 1024
_LONGEST_ANSWER: Final = 256 * 1024
_IDLE: Final = 3.0  # seconds; servers hang up on a quiet connection after five or more
_FAILURES: Final = (httpx.HTTPError, httpx.StreamError, TimeoutError)


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds to wait for a connection, for the other side to take more, and for the whole of its answer."""

    connect: float = 30.0
    write: float = 60.0
    answer: float = 120.0
    look_up: tuple[float, ...] = (1.0, 4.0)
    """How long to wait before each time that the provider is asked for a message whose answer was lost."""


class Trace(msgspec.Struct, frozen=True):
    """
    Where a provider says whether it has a message, by an id of ours: one in the list `items` of the answer's JSON.

    `named` is the key of the provider's own id there.
    """

    path: str
    items: str
    named: str = ""

    def found(self, answer: Answer) -> Receipt | None:
        """The receipt of a message that is there. That it is not proves nothing: it may only not be listed yet."""
        listed = answer.table.get(self.items)
        if answer.status != httpx.codes.OK or not isinstance(listed, list) or not listed:
            return None
        first = listed[0] if isinstance(listed[0], dict) else {}
        return Receipt(reply="found at the provider by our id", provider_id=str(first.get(self.named) or ""))


class Request(msgspec.Struct, frozen=True):
    """
    What hands one message over; `is_idempotent` says that sent twice it is taken once.

    Where it is not, `trace` is what to ask when the answer was lost.
    """

    path: str
    content: bytes
    headers: Mapping[str, str]
    is_idempotent: bool = False
    trace: Trace | None = None


class Api(Protocol):
    """What is special about one provider."""

    url: str
    probe: str
    """A path that answers any valid key with 2xx and a wrong one with 401 or 403; empty if there is none."""

    async def identify(self, client: httpx.AsyncClient) -> Mapping[str, str]:
        """The headers that prove who we are; a token may have to be fetched for them."""
        ...

    def write(self, message: Message) -> Request:
        """The request for a message; raises RecipientRefused or TransportDown if it can't be expressed."""
        ...

    def receipt(self, answer: Answer) -> Receipt:
        """What a 2xx says; raises a TransportError where it is no yes."""
        ...

    def refusal(self, answer: Answer) -> TransportError | None:
        """What any other answer means, where the provider says more than the status does."""
        ...


def secure(url: str, name: str, *, section: str = "") -> str:
    """
    The API's address without its last slash.

    Raises:
        OperatorError: It would send the key in the clear.

    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme == "https" or (parsed.scheme == "http" and parsed.host in {"127.0.0.1", "::1", "localhost"}):
        return url.rstrip("/")
    where = section or f"transports.{name}"
    raise OperatorError(f'[{where}] url "{url}" must begin with https:// (http:// is for this machine alone)')


class HttpTransport:
    """A provider's API as a Transport."""

    def __init__(self, api: Api, *, name: str, timeouts: Timeouts) -> None:
        self.name = name
        self.api = api
        self._timeouts = timeouts
        self._context: ssl.SSLContext | None = None
        self._gate = Gate()

    def check(self, message: Message) -> None:
        """
        See, without sending anything, that the API can express a message.

        Raises:
            TransportDown: It can't, whoever the recipient is.

        """
        self.api.write(message)

    async def known(self, messages: Sequence[Message]) -> list[Message]:
        """Those of the messages that the provider has, if it can be asked by an id of ours; raises as `open` does."""
        asked = [(message, trace) for message in messages if (trace := self.api.write(message).trace)]
        if not asked:
            return []
        channel = await self.open()
        try:
            return [message for message, trace in asked if await channel.look_up(trace)]
        finally:
            await channel.close()

    async def open(self) -> "HttpChannel":
        """
        Connect, and show the key where the provider has a harmless place for that.

        Raises:
            ConnectionLost: Nobody answers, or we were asked to wait.
            TransportDown: The key is refused.

        """
        await self._gate.passed()
        self._context = self._context or httpx.create_ssl_context()
        waits = self._timeouts
        client = httpx.AsyncClient(
            base_url=self.api.url,
            verify=self._context,
            timeout=httpx.Timeout(waits.answer, connect=waits.connect, write=waits.write),
            limits=httpx.Limits(max_connections=1, keepalive_expiry=_IDLE),
            # Unpacked, an answer may be a thousand times as long as what came.
            headers={"User-Agent": "mailer", "Accept-Encoding": "identity"},
        )
        channel = HttpChannel(self.api, client, waits, self._gate)
        try:
            if self._gate.is_new_ground:
                await channel.greet()
        except BaseException:
            await client.aclose()
            raise
        return channel


class HttpChannel:
    """One connection to an API."""

    def __init__(self, api: Api, client: httpx.AsyncClient, waits: Timeouts, gate: Gate) -> None:
        self._api = api
        self._client = client
        self._waits = waits
        self._gate = gate

    async def greet(self) -> None:
        """See that somebody answers and, where that can be asked, takes the key; raises as `open` does."""
        try:
            identity = await self._api.identify(self._client)
            answer = await self._get(self._api.probe or "/", identity if self._api.probe else {})
        except _FAILURES as problem:
            raise lost(problem) from problem
        if self._api.probe and answer.status in {401, 403}:
            raise TransportDown(f"the key is refused: {answer.words}", code=answer.status)

    async def transmit(self, message: Message, hand_off: HandOff) -> Receipt:
        """Hand one message over; see `Channel.transmit`."""
        if not message.recipient.isascii():
            raise RecipientRefused("the address needs SMTPUTF8 (RFC 6531), which no API offers", status="5.6.7")
        await self._gate.passed()
        request = self._api.write(message)
        try:
            receipt = await self._post(request, hand_off)
        except Throttled as asked:
            self._gate.close(asked)
            raise
        except Uncertain as lost_answer:
            if request.is_idempotent:
                return await self._ask_again(request)
            found = await self._look_out_for(request.trace) if request.trace else None
            if found is None:
                raise lost_answer from None
            return found
        self._gate.open()
        return receipt

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def _get(self, path: str, headers: Mapping[str, str]) -> Answer:
        async with asyncio.timeout(self._waits.connect + self._waits.answer):
            return await self._exchange(self._client.build_request("GET", path, headers=headers))

    async def _post(self, request: Request, hand_off: HandOff) -> Receipt:
        try:
            identity = await self._api.identify(self._client)
        except _FAILURES as problem:
            raise lost(problem) from problem
        headers = {**request.headers, **identity, "Content-Length": str(len(request.content))}
        body = _Body(request.content, hand_off, self._waits)
        built = self._client.build_request("POST", request.path, content=body.pieces(), headers=headers)
        try:
            async with body.deadline:
                answer = await self._exchange(built)
        except _FAILURES as problem:
            if not body.is_handed:
                raise lost(problem) from problem
            raise Uncertain(f"no answer after the whole request: {_words(problem)}") from problem
        if answer.status // 100 == 2:  # noqa: PLR2004 - RFC 9110 15.3
            return self._api.receipt(answer)
        raise self._api.refusal(answer) or by_status(answer)

    async def _exchange(self, request: httpx.Request) -> Answer:
        """Send a request, and read no more of the answer than one of an API's is long."""
        response = await self._client.send(request, stream=True)
        body = bytearray()
        try:
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > _LONGEST_ANSWER:
                    break
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=headers, body=bytes(body[:_LONGEST_ANSWER]))

    async def look_up(self, trace: Trace) -> Receipt | None:
        """The receipt of a message that the provider has; None if it isn't found, or can't be asked for now."""
        try:
            return trace.found(await self._get(trace.path, await self._api.identify(self._client)))
        except (*_FAILURES, TransportError):
            return None

    async def _look_out_for(self, trace: Trace) -> Receipt | None:
        """Whether the provider has the message after all: asked a few times, for it may not be listed at once."""
        for pause in self._waits.look_up:
            await asyncio.sleep(pause)
            if found := await self.look_up(trace):
                return found
        return None

    async def _ask_again(self, request: Request) -> Receipt:
        """The answer that was lost, by the same key: whether or not it was taken before, it is taken once."""
        try:
            return await self._post(request, _already_recorded)
        except (ConnectionLost, Deferred, TransportDown) as problem:
            # Why it can't be asked says nothing of what became of the first.
            raise Uncertain(f"no answer, nor when asked again: {problem.reply}", code=problem.code) from problem


class _Body:
    """
    A request's body; the last octet follows the record of the hand-off.

    However slowly the other side takes it, or answers by drops, the `deadline` comes.
    """

    def __init__(self, content: bytes, hand_off: HandOff, waits: Timeouts) -> None:
        self._content = content
        self._hand_off = hand_off
        self._answer = waits.answer
        self.deadline = asyncio.timeout(waits.connect + waits.write + waits.answer)
        self.is_handed = False

    async def pieces(self) -> AsyncIterator[bytes]:
        most = memoryview(self._content)[:-1]
        for start in range(0, len(most), _CHUNK):
            yield bytes(most[start : start + _CHUNK])
        self.deadline.reschedule(None)  # the record takes its own time
        await self._hand_off()
        self.is_handed = True
        self.deadline.reschedule(asyncio.get_running_loop().time() + self._answer)
        yield self._content[-1:]


async def _already_recorded() -> None:
    """The hand-off of the first request stands for both."""


def lost(problem: Exception) -> TransportError:
    """What a failure before the hand-off means: a certificate that isn't good is ours to look at, all else passes."""
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TransportDown(f"TLS failed: {_words(problem)}")
        cause = cause.__cause__ or cause.__context__
    return ConnectionLost(_words(problem))


def _words(problem: Exception) -> str:
    return str(problem) or type(problem).__name__
