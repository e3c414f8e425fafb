"""
Messages outside every campaign's account: tests to the staff, alerts. Each is handed over once, and what came of it
is told at once to whoever waits; nothing is kept and nothing is tried again.
"""

from collections.abc import Sequence

import msgspec

from mailer.deliveries.transport import Channel, ConnectionLost, Transport, TransportDown, TransportError
from mailer.messages.message import Message


class Outcome(msgspec.Struct, frozen=True):
    """What came of one message: whether the other side took it, and its words."""

    recipient: str
    message_id: str
    is_sent: bool
    reply: str


async def hand_over(messages: Sequence[Message], transport: Transport) -> list[Outcome]:
    """
    Hand the messages over one after the other on one channel; a refused one doesn't stop the others.

    Raises:
        TransportDown: The other side refuses us; what came before was sent.
        ConnectionLost: Nobody answers, or not any more.

    """
    channel = await transport.open()
    try:
        return [await _one(message, channel) for message in messages]
    finally:
        await channel.close()


async def _one(message: Message, channel: Channel) -> Outcome:
    try:
        receipt = await channel.transmit(message, _unrecorded)
    except (TransportDown, ConnectionLost):
        raise
    except TransportError as problem:
        return Outcome(message.recipient, message.message_id, is_sent=False, reply=problem.reply)
    return Outcome(message.recipient, message.message_id, is_sent=True, reply=receipt.reply)


async def _unrecorded() -> None:
    """A test is no delivery: a second copy of one harms nobody."""
