"""Connect, secure and log in: aiosmtplib's part, with its errors told apart by who is meant."""

import asyncio
import socket
import ssl
from typing import Final, Protocol, cast

import aiosmtplib

from mailer.deliveries.transport import ConnectionLost, TransportDown, TransportError
from mailer.providers.oauth import Tokens
from mailer.providers.smtp.conversation import Conversation, readable
from mailer.providers.smtp.transaction import Offers

_METHODS: Final = ("plain", "login", "cram-md5")  # those of aiosmtplib, the plainest first: TLS hides them all
_NOT_THIS_WAY: Final = frozenset({500, 501, 502, 503, 504, 534})  # RFC 4954 4, 6


class Login(Protocol):
    """How we say who we are, once the conversation is secured."""

    async def log_in(self, client: aiosmtplib.SMTP) -> None:
        """Log in; raises aiosmtplib's errors, or those of `Transport.open`."""
        ...


async def connect(client: aiosmtplib.SMTP, *, starttls: bool, login: Login | None) -> tuple[Conversation, Offers]:
    """
    Open the conversation that `client` is set up for.

    TLS that was asked for is had or nothing is said: a server that doesn't offer STARTTLS gets no word more.

    Raises:
        ConnectionLost: Nobody answers, or the server puts everybody off.
        TransportDown: The certificate, the missing TLS or the login.

    """
    stage = "connecting"
    try:
        await client.connect()
        stage = "EHLO"
        await _greet(client, must_extend=starttls or login is not None)
        if starttls:
            stage = "STARTTLS"
            await client.starttls()
            await _greet(client, must_extend=login is not None)
        if login:
            stage = "the login"
            await login.log_in(client)
    except (aiosmtplib.SMTPException, OSError, ValueError) as problem:
        client.close()
        raise _family(stage, problem) from problem
    except BaseException:
        client.close()
        raise
    return _taken_over(client), Offers(
        pipelining=client.supports_extension("pipelining"),
        smtputf8=client.supports_extension("smtputf8"),
        eight_bit=client.supports_extension("8bitmime"),
        size=client.supports_extension("size"),
    )


async def _greet(client: aiosmtplib.SMTP, *, must_extend: bool) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError as problem:
        if must_extend or problem.code not in {500, 501, 502, 504}:
            raise
        await client.helo()  # a server of the old kind (RFC 5321 3.2)


class PasswordLogin:
    """A user name and a password."""

    def __init__(self, username: str, password: str) -> None:
        self._given = username, password

    async def log_in(self, client: aiosmtplib.SMTP) -> None:
        """
        Log in by the first method that the server really has.

        A wrong password is wrong by every method, and servers lock accounts after a few tries: 535 is not tried again.
        """
        _require_auth(client)
        refused: aiosmtplib.SMTPAuthenticationError | None = None
        for method in sorted(client.supported_auth_methods, key=_METHODS.index):
            try:
                await getattr(client, f"auth_{method.replace('-', '')}")(*self._given)
            except aiosmtplib.SMTPAuthenticationError as problem:
                if problem.code not in _NOT_THIS_WAY:
                    raise
                refused = problem
            else:
                return
        raise refused or aiosmtplib.SMTPException("the server offers no login by PLAIN, LOGIN or CRAM-MD5")


class TokenLogin:
    """A user name and an access token, as Microsoft 365 and Google Workspace want it."""

    def __init__(self, username: str, source: Tokens) -> None:
        self._username = username
        self._tokens = source

    async def log_in(self, client: aiosmtplib.SMTP) -> None:
        """Log in by XOAUTH2; a token that is refused is not used again."""
        _require_auth(client)
        if "xoauth2" not in client.server_auth_methods:
            raise aiosmtplib.SMTPException("the server offers no login by XOAUTH2")
        try:
            await client.auth_xoauth2(self._username, await self._tokens.current())
        except aiosmtplib.SMTPAuthenticationError:
            self._tokens.forget()
            raise


def _require_auth(client: aiosmtplib.SMTP) -> None:
    if not client.supports_extension("auth"):
        raise aiosmtplib.SMTPException("the server does not offer a login; take username out or ask for TLS")


def _taken_over(client: aiosmtplib.SMTP) -> Conversation:
    # uvloop's transports are no subclasses of asyncio's, though they do the same.
    transport = cast("asyncio.Transport | None", client.transport)
    if transport is None or transport.is_closing():
        raise ConnectionLost("the server hung up after its greeting")
    plug = transport.get_extra_info("socket")
    if plug is not None and plug.family in {socket.AF_INET, socket.AF_INET6}:
        # The dot is a small segment behind a large one: it must not wait for an acknowledgement (RFC 896).
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Conversation(transport)


def _family(stage: str, problem: Exception) -> TransportError:
    if isinstance(problem, aiosmtplib.SMTPResponseException):
        code = max(problem.code, 0)  # the library's own -1: what came was no SMTP reply
        words = f"{code} {_words(problem.message)}" if code else f"{_words(problem.message)} (at {stage})"
        # A banner of 5xx says no to everybody for now: wait, and mark nobody. So does what is neither yes nor no.
        is_refusal = code >= 500 and stage != "connecting"  # noqa: PLR2004 - RFC 5321 4.2.1
        return (TransportDown if is_refusal else ConnectionLost)(words, code=code)
    words = _words(str(problem))
    causes = (problem, problem.__cause__)
    if any(isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError) for cause in causes):
        return TransportDown(f"TLS failed: {words}")
    lost = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, aiosmtplib.SMTPConnectError, OSError)
    if isinstance(problem, lost):
        return ConnectionLost(words if stage == "connecting" else f"{words} (at {stage})")
    return TransportDown(f"{words} (at {stage})")


def _words(text: str) -> str:
    """The library's text: what a server said is in it as it came, whatever octets those were."""
    return readable(text.encode("utf-8", "surrogateescape"))
