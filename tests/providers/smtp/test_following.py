"""The envelope of the next message behind the end of the last (RFC 2920 3.1): who is touched by what goes wrong."""

import pytest

from mailer.deliveries.transport import Deferred, RecipientRefused, Uncertain
from mailer.testing import Fault, SmtpSink

from .conftest import a_message, smtp

FOREVER = float("inf")
FIRST, SECOND, THIRD = (a_message(number) for number in (1, 2, 3))


def handing_off(journal, following=None):
    """A hand-off that names the message to follow."""

    async def hand_off():
        await journal()
        return following

    return hand_off


async def send_three(channel, journal):
    """Three messages, each announced behind the one before; what became of each: its reply or its error."""
    ends = []
    for message, following in ((FIRST, SECOND), (SECOND, THIRD), (THIRD, None)):
        try:
            ends.append((await channel.transmit(message, handing_off(journal, following))).reply)
        except (RecipientRefused, Deferred, Uncertain) as problem:
            ends.append(type(problem))
    await channel.close()
    return ends


def received(sink):
    return [message.message_id for message in sink.accepted]


@pytest.mark.parametrize("offers", [("PIPELINING",), ("8BITMIME",)], ids=["pipelined", "plain"])
async def test_all_three_arrive_in_order(offers, journal):
    """Announced or not, each message arrives once, by one connection."""
    async with SmtpSink(offers=offers) as sink:
        ends = await send_three(await smtp(sink.port).open(), journal)
        assert [end[:3] for end in ends] == ["250"] * 3
        assert received(sink) == [message.message_id for message in (FIRST, SECOND, THIRD)]
        assert (sink.connections, journal.handed) == (1, 3)


@pytest.mark.parametrize(
    ("fault", "ends", "connections"),
    [
        # The second alone is meant; its answer comes with that to the first.
        (Fault("rcpt", reply="550 5.1.1 no such mailbox", nth=2), ["250", RecipientRefused, "250"], 1),
        (Fault("rcpt", reply="450 4.2.0 greylisted", nth=2), ["250", Deferred, "250"], 1),
        (Fault("data", reply="554 5.6.0 not this", nth=2), ["250", RecipientRefused, "250"], 1),
        # The first alone is meant; the second's envelope stands behind it all the same.
        (Fault("dot", reply="554 5.7.1 spam", nth=1), [RecipientRefused, "250", "250"], 1),
        (Fault("dot", reply="421 4.3.2 closing", drop=True, nth=1), [Deferred, "250", "250"], 2),
        (Fault("dot", drop=True, nth=1), [Uncertain, "250", "250"], 2),
        (Fault("dot", reply="not SMTP", nth=1), [Uncertain, "250", "250"], 2),
        # A server that has had enough after one message: the second goes over another connection, unharmed.
        (Fault("mail", drop=True, nth=2), ["250", "250", "250"], 2),
        (Fault("mail", reply="421 4.3.2 closing", drop=True, nth=2), ["250", "250", "250"], 2),
        (Fault("data", drop=True, nth=2), ["250", "250", "250"], 2),
    ],
    ids=lambda value: f"{value.stage}-{value.reply[:3] or 'drop'}" if isinstance(value, Fault) else None,
)
async def test_what_goes_wrong_touches_the_one_that_is_meant(fault, ends, connections, journal):
    """Whatever comes back for a message whose envelope went out early, its neighbours end as if it had not."""
    async with SmtpSink(faults=[fault]) as sink:
        found = await send_three(await smtp(sink.port).open(), journal)
        assert [end if isinstance(end, type) else end[:3] for end in found] == ends
        assert len(received(sink)) == len(set(received(sink))) == ends.count("250")
        assert sink.connections == connections


async def test_a_server_that_loses_what_follows_is_sent_no_more_of_it(journal):
    """Its silence after an announcement costs one wait; from then on nothing follows anything, on any connection."""
    loses = Fault("mail", stall=FOREVER, nth=2)
    async with SmtpSink(faults=[loses]) as sink:
        transport = smtp(sink.port, loses)
        assert [end[:3] for end in await send_three(await transport.open(), journal)] == ["250"] * 3
        assert len(received(sink)) == 3
        assert not transport.pipelines


async def test_an_announced_message_is_taken_back_by_hanging_up(journal):
    """A channel that is closed behind an announcement hands nothing over, not even an empty message."""
    async with SmtpSink() as sink:
        channel = await smtp(sink.port).open()
        await channel.transmit(FIRST, handing_off(journal, SECOND))
        await channel.close()
    assert received(sink) == [FIRST.message_id]


async def test_nothing_follows_the_last_message_of_a_connection(journal):
    """A server that takes two messages a connection is never told of a third on the same."""
    async with SmtpSink() as sink:
        channel = await smtp(sink.port, messages_per_connection=2).open()
        await send_three(channel, journal)
        assert len(received(sink)) == 3
        assert sink.connections == 2
        assert sum(command.startswith("MAIL") for command in sink.commands) == 3
