"""
The port that every way out implements, and what can come of handing a message over.

Four families of failure, told apart by who is meant: the *recipient* was refused; the trouble is *temporary*; it is
*us* that was refused; or the answer was lost after the hand-off and nobody knows (*uncertain*, RFC 1047).
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from mailer.messages.message import Message


def readable(words: str) -> str:
    r"""
    What the other side said, as a log, a terminal and a database can hold it.

    >>> readable("5.1.1\tno\x00such mailbox")
    '5.1.1 no such mailbox'
    """
    return words if words.isprintable() else "".join([char if char.isprintable() else " " for char in words])


class Receipt(msgspec.Struct, frozen=True):
    """The other side took the message: its words, and its own id for it where it gives one."""

    reply: str
    provider_id: str = ""


class TransportError(Exception):
    """A hand-over that failed: `reply` holds the other side's words, `code` its SMTP or HTTP code (0: none came)."""

    def __init__(self, reply: str, *, code: int = 0, status: str = "") -> None:
        self.reply = readable(reply)
        super().__init__(self.reply)
        self.code = code
        self.status = status  # RFC 3463 enhanced status, "5.1.1", or empty


class RecipientRefused(TransportError):
    """The recipient is refused for good; nobody else is meant."""


class Deferred(TransportError):
    """The recipient was put off (4xx, 429): try again later, not before `retry_after` seconds if it is set."""

    def __init__(self, reply: str, *, code: int = 0, status: str = "", retry_after: float = 0.0) -> None:
        super().__init__(reply, code=code, status=status)
        self.retry_after = retry_after


class ConnectionLost(TransportError):
    """The way out is gone before anything was handed over: wait, reconnect, go on; no mark on the recipient."""


class Throttled(ConnectionLost):
    """
    We go too fast, or the other side rests: it took nothing, and that says nothing about the message.

    Whoever opens the next channel waits for `retry_after` seconds, if it is set.
    """

    def __init__(self, reply: str, *, code: int = 0, status: str = "", retry_after: float = 0.0) -> None:
        super().__init__(reply, code=code, status=status)
        self.retry_after = retry_after


class TransportDown(TransportError):
    """It is us: login, sender or policy refused. The campaign pauses with these words."""


class Uncertain(TransportError):
    """The end of the data had gone out and no answer came."""


HandOff = Callable[[], Awaitable[Message | None]]
"""Makes *handed* durable; gives the message that is to follow on the same channel, if it is known already."""


class Channel(Protocol):
    """One open way out, used by one delivery at a time."""

    async def transmit(self, message: Message, hand_off: HandOff) -> Receipt:
        """
        Step 3: hand one message over.

        Everything but the end of the data goes out first; then `hand_off` is awaited, which makes *handed* durable;
        only then the terminator (or the request that can't be taken back) leaves. Behind it a channel may already
        send what can be taken back of the message that follows, if `hand_off` gave one: it is the next to be
        transmitted, or the channel is closed.

        Raises:
            RecipientRefused: for good.
            Deferred: for now.
            ConnectionLost: nothing was handed over, even if `hand_off` had been awaited; the channel is dead.
            TransportDown: we are refused, not the recipient.
            Uncertain: handed over, no answer; the channel is dead.

        """
        ...

    async def close(self) -> None:
        """Say goodbye if anybody listens. Never raises."""
        ...


class Transport(Protocol):
    """A way out: opens channels."""

    name: str

    async def open(self) -> Channel:
        """
        Connect, secure and log in.

        Raises:
            ConnectionLost: nobody answers, or it says 4xx: try again later.
            TransportDown: login or TLS refused.

        """
        ...
