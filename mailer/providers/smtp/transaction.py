"""
One mail transaction (RFC 5321 3.3), its stage known at every failure.

Until the dot leaves, a drop is harmless; once it has left, only an answer settles what happened (RFC 1047). Everything
that goes wrong becomes one of the families of `deliveries.transport`, by stage and code.
"""

import re
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
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f<>]")


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

    def __init__(self, conversation: Conversation, offers: Offers, timeouts: Timeouts) -> None:
        self._conversation = conversation
        self._offers = offers
        self._timeouts = timeouts
        self.clean = True

    async def carry(self, message: Message, hand_off: HandOff, *, reset: bool = False) -> Receipt:
        """
        Hand the message over: envelope, body, `hand_off`, dot.

        `reset` clears what a failed transaction left behind. When it raises ConnectionLost or Uncertain, and
        sometimes when not, the conversation is over.

        Raises:
            TransportError: One of its families, as `Channel.transmit` says.

        """
        self.clean = not reset
        self._refuse_locally(message)
        try:
            await self._envelope(message, reset=reset)
            await self._body(message)
        except Ended as problem:
            raise ConnectionLost(str(problem)) from problem
        try:
            await hand_off()
        except BaseException:
            # Hanging up inside the data is the only way to take a message back.
            self._conversation.abort()
            raise
        return await self._dot()

    def _refuse_locally(self, message: Message) -> None:
        if _UNSAFE.search(message.recipient) or _UNSAFE.search(message.sender):
            raise RecipientRefused("the address holds characters that no envelope may", status="5.1.3")
        if not message.recipient.isascii() and not self._offers.smtputf8:
            raise RecipientRefused(
                "the address needs SMTPUTF8 (RFC 6531), which the server does not offer", status="5.6.7"
            )

    async def _envelope(self, message: Message, *, reset: bool) -> None:
        waits = self._timeouts
        commands = [
            ("MAIL", self._mail_command(message), waits.mail),
            ("RCPT", f"RCPT TO:<{message.recipient}>\r\n".encode(), waits.rcpt),
            ("DATA", b"DATA\r\n", waits.data),
        ]
        if reset:
            commands.insert(0, ("RSET", b"RSET\r\n", waits.mail))
        self.clean = False
        failure: TransportError | None = None
        if self._offers.pipelining:
            self._conversation.send(b"".join(command for _, command, _ in commands))
        for stage, command, wait in commands:
            if not self._offers.pipelining:
                self._conversation.send(command)
            try:
                reply = await self._conversation.reply(wait)
            except Ended:
                if failure:
                    raise failure from None
                raise
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

    def _mail_command(self, message: Message) -> bytes:
        options = f" SIZE={len(message.content)}" if self._offers.size else ""
        if not (message.recipient.isascii() and message.sender.isascii()):
            options += " BODY=8BITMIME SMTPUTF8" if self._offers.eight_bit else " SMTPUTF8"
        return f"MAIL FROM:<{message.sender}>{options}\r\n".encode()

    async def _body(self, message: Message) -> None:
        content = message.content
        if _DOT_LINE.search(content) or content.startswith(b"."):
            # Messages are made so that this never happens; a line of a dot alone would cut them (RFC 5321 4.5.2).
            content = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
        self._conversation.send(content if content.endswith(b"\r\n") else content + b"\r\n")
        await self._conversation.drained(self._timeouts.block)
        await self._still_listening()

    async def _still_listening(self) -> None:
        """A server that speaks before the dot has stopped listening."""
        if self._conversation.has_reply:
            reply = await self._conversation.reply(0)
            self._conversation.abort(str(reply))
            raise ConnectionLost(str(reply), code=reply.code, status=reply.status)

    async def _dot(self) -> Receipt:
        try:
            await self._still_listening()
            self._conversation.send(b".\r\n")
        except Ended as problem:
            # Not an octet of the dot went out, so nobody can have the message.
            raise ConnectionLost(str(problem)) from problem
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
