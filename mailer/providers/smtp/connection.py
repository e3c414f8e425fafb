"""Connect, secure and log in: aiosmtplib's part, with its errors told apart by who is meant."""

import asyncio
import socket
import ssl
from typing import cast

import aiosmtplib

from mailer.deliveries.transport import ConnectionLost, TransportDown, TransportError
from mailer.providers.smtp.conversation import Conversation
from mailer.providers.smtp.transaction import Offers


async def connect(
    client: aiosmtplib.SMTP, *, starttls: bool, login: tuple[str, str] | None
) -> tuple[Conversation, Offers]:
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
            await client.login(*login)
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
    code = getattr(problem, "code", 0)
    if isinstance(problem, aiosmtplib.SMTPResponseException) and code > 0:
        words = f"{code} {problem.message}"
        # A banner of 5xx says no to everybody for now: wait, and mark nobody.
        passing = code < 500 or stage == "connecting"  # noqa: PLR2004 - RFC 5321 4.2.1
        return ConnectionLost(words, code=code) if passing else TransportDown(words, code=code)
    causes = (problem, problem.__cause__)
    if any(isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError) for cause in causes):
        return TransportDown(f"TLS failed: {problem}")
    lost = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, aiosmtplib.SMTPConnectError, OSError)
    if isinstance(problem, lost):
        return ConnectionLost(str(problem) if stage == "connecting" else f"{problem} (at {stage})")
    return TransportDown(f"{problem} (at {stage})")
