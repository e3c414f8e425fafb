"""
One mail transaction (RFC 5321 3.3), its stage known at every failure.

Until the dot leaves, a drop is harmless; once it has left, only an answer settles what happened (RFC 1047). Everything
that goes wrong becomes one of the families of `deliveries.transport`, by stage and code.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from mailer.deliveries.transport import (
    ConnectionLost,
    Deferred,
    HandOff,
    Receipt,
    RecipientRefused,
    TransportDown,
    TransportError,
    Uncertain,
)
from mailer.messages.message import Message
from mailer.providers.smtp.conversation import Conversation, Ended, Reply

_START_INPUT: Final = 354
_CLOSING: Final = 421
# Login asked for, too weak, expired, or not without TLS: never the recipient's fault (RFC 4954 6).
_LOGIN: Final = frozenset({530, 534, 535, 538})
# Unknown command, bad sequence: behind a RCPT that was taken, it is the conversation that is wrong (RFC 5321 4.2.2).
_PROTOCOL: Final = frozenset({500, 502, 503})
_DOT_LINE: Final = re.compile(rb"\r\n\.")  # three times as fast as `in`
_DOT: Final = b".\r\n"
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f<>]")


Announce = Callable[[Message, bytes], bool]
"""Says the envelope of the message that follows, behind what is given; False if it can't: then nothing was said."""


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds to wait at each stage; by default what RFC 5321 4.5.3.2 asks for at least."""

    connect: float = 300.0
    mail: float = 300.0
    rcpt: float = 300.0
    data: float = 120.0
    block: float = 180.0
    dot: float = 600.0
    quit: float = 5.0


class Offers(msgspec.Struct, frozen=True):
    """What of use the server announced in its answer to EHLO."""

    pipelining: bool = False
    smtputf8: bool = False
    eight_bit: bool = False
    size: bool = False


class Transaction:
    """One message on its way over a conversation; `clean` tells whether the next can follow without RSET."""

    def __init__(self, message: Message, conversation: Conversation, offers: Offers, timeouts: Timeouts) -> None:
        self.message = message
        self.clean = True
        self._conversation = conversation
        self._offers = offers
        self._timeouts = timeouts
        self._commands: list[tuple[str, bytes, float]] = []
        self._said = 0

    def begin(self, *, reset: bool = False, behind: bytes = b"") -> None:
        """
        Say the envelope; where the server takes several commands at once, behind what it still has to get.

        `reset` clears what a failed transaction left behind.

        Raises:
            RecipientRefused: The address can't be written to this server at all; nothing was said.
            Ended: Nor was anything if the conversation is over.

        """
        self._refuse_locally()
        waits = self._timeouts
        self._commands = [
            *([("RSET", b"RSET\r\n", waits.mail)] if reset else ()),
            ("MAIL", self._mail_command(), waits.mail),
            ("RCPT", f"RCPT TO:<{self.message.recipient}>\r\n".encode(), waits.rcpt),
            ("DATA", b"DATA\r\n", waits.data),
        ]
        self.clean = False
        if self._offers.pipelining:
            self._conversation.send(behind + b"".join([command for _, command, _ in self._commands]))

    def _refuse_locally(self) -> None:
        message = self.message
        if _UNSAFE.search(message.recipient) or _UNSAFE.search(message.sender):
            raise RecipientRefused("the address holds characters that no envelope may", status="5.1.3")
        if not message.recipient.isascii() and not self._offers.smtputf8:
            raise RecipientRefused(
                "the address needs SMTPUTF8 (RFC 6531), which the server does not offer", status="5.6.7"
            )

    def _mail_command(self) -> bytes:
        message = self.message
        options = f" SIZE={len(message.content)}" if self._offers.size else ""
        if not (message.recipient.isascii() and message.sender.isascii()):
            options += " BODY=8BITMIME SMTPUTF8" if self._offers.eight_bit else " SMTPUTF8"
        return f"MAIL FROM:<{message.sender}>{options}\r\n".encode()

    async def opened(self) -> None:
        """
        Wait until the server has taken the envelope and asks for the content.

        Raises:
            TransportError: One of its families, as `Channel.transmit` says.

        """
        failure: TransportError | None = None
        for stage, command, wait in self._commands:
            try:
                if not self._offers.pipelining:
                    self._conversation.send(command)
                reply = self._conversation.unread_reply() or await self._conversation.reply(wait)
            except Ended as problem:
                raise failure or ConnectionLost(str(problem)) from problem
            failure = failure or _failure(stage, reply)
            if failure and (not self._offers.pipelining or isinstance(failure, ConnectionLost)):
                break
        if failure:
            await self._leave(failure, stage, reply)

    async def _leave(self, failure: TransportError, stage: str, reply: Reply) -> None:
        """Raise the failure, once the conversation is in order again or given up."""
        if isinstance(failure, ConnectionLost):
            self._conversation.abort(failure.reply)
        elif stage == "DATA" and reply.code == _START_INPUT:
            # A server may open the data though no recipient was taken (RFC 2920 3.1): end it empty.
            self._conversation.send(b".\r\n")
            with suppress(Ended):
                await self._conversation.reply(self._timeouts.data)
        raise failure

    async def hand_over(self, hand_off: HandOff, announce: Announce) -> Receipt:
        """
        The body (Step 3), `hand_off` (Step 4), the dot; behind it what `announce` makes of the message that follows.

        When it raises ConnectionLost or Uncertain, and sometimes when not, the conversation is over.

        Raises:
            TransportError: One of its families, as `Channel.transmit` says.

        """
        try:
            await self._body()
        except Ended as problem:
            raise ConnectionLost(str(problem)) from problem
        try:
            following = await hand_off()
        except BaseException:
            # Hanging up inside the data is the only way to take a message back.
            self._conversation.abort()
            raise
        try:
            self._still_listening()
            if following is None or not announce(following, _DOT):
                self._conversation.send(_DOT)
        except Ended as problem:
            # Not an octet of the dot went out, so nobody can have the message.
            raise ConnectionLost(str(problem)) from problem
        return await self._answer()

    async def _body(self) -> None:
        message = self.message
        self._conversation.send(message.content if message.is_dotless else _dot_stuffed(message.content))
        await self._conversation.drained(self._timeouts.block)
        self._still_listening()

    def _still_listening(self) -> None:
        """A server that speaks before the dot has stopped listening."""
        reply = self._conversation.unread_reply()
        if reply is not None:
            self._conversation.abort(str(reply))
            raise ConnectionLost(str(reply), code=reply.code, status=reply.status)

    async def _answer(self) -> Receipt:
        try:
            reply = await self._conversation.reply(self._timeouts.dot)
        except Ended as problem:
            raise Uncertain(f"no answer after the end of the data: {problem}") from problem
        except BaseException:
            self._conversation.abort()
            raise
        self.clean = True
        failure = _failure("dot", reply)
        if failure is None:
            return Receipt(reply=str(reply))
        if reply.code == _CLOSING or isinstance(failure, Uncertain):
            self._conversation.abort(str(reply))
        raise failure


def _dot_stuffed(content: bytes) -> bytes:
    r"""
    The content with its lines closed to be taken for the end of the data (RFC 5321 4.5.2).

    >>> _dot_stuffed(b".a\r\n.\r\nb")
    b'..a\r\n..\r\nb\r\n'
    """
    if _DOT_LINE.search(content) or content.startswith(b"."):
        content = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def _failure(stage: str, reply: Reply) -> TransportError | None:
    """What a reply means at a stage; nothing if it lets the transaction go on."""
    code = reply.code
    if code == _START_INPUT if stage == "DATA" else reply.accepts:
        return None
    words, status = str(reply), reply.status
    if stage == "dot":
        if 400 <= code < 500:  # noqa: PLR2004 - RFC 5321 4.2.1
            return Deferred(words, code=code, status=status)
        if code < 400:  # noqa: PLR2004 - neither yes nor no
            return Uncertain(words, code=code, status=status)
    if code in _LOGIN or (code >= 500 and (stage == "MAIL" or (stage == "DATA" and code in _PROTOCOL))):  # noqa: PLR2004
        return TransportDown(words, code=code, status=status)
    if code == _CLOSING or code < 400 or stage in {"RSET", "MAIL"}:  # noqa: PLR2004
        return ConnectionLost(words, code=code, status=status)
    if code < 500:  # noqa: PLR2004
        return Deferred(words, code=code, status=status)
    return RecipientRefused(words, code=code, status=status)
