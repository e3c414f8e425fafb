"""What each fault of a server becomes, by stage and code, and what the server got to see."""

import asyncio

import pytest

from mailer.deliveries.transport import ConnectionLost, Deferred, RecipientRefused, TransportDown, Uncertain
from mailer.testing import Fault, SmtpSink

from .conftest import a_message, smtp

FOREVER = float("inf")
PLAIN = ("8BITMIME",)
PIPELINED = ("PIPELINING", "8BITMIME")

# fault, what it becomes, whether the hand-off was recorded before
TABLE = [
    (Fault("mail", reply="550 5.7.1 sender refused"), TransportDown, 0),
    (Fault("mail", reply="530 5.7.0 log in"), TransportDown, 0),
    (Fault("mail", reply="451 4.3.0 not now"), ConnectionLost, 0),
    (Fault("mail", reply="421 4.3.2 closing", drop=True), ConnectionLost, 0),
    (Fault("mail", drop=True), ConnectionLost, 0),
    (Fault("mail", stall=FOREVER), ConnectionLost, 0),
    (Fault("mail", reply="this is not SMTP"), ConnectionLost, 0),
    (Fault("rcpt", reply="450 4.2.0 greylisted"), Deferred, 0),
    (Fault("rcpt", reply="550 5.1.1 no such mailbox"), RecipientRefused, 0),
    (Fault("rcpt", reply="421 4.7.0 too many", drop=True), ConnectionLost, 0),
    (Fault("rcpt", drop=True), ConnectionLost, 0),
    (Fault("rcpt", stall=FOREVER), ConnectionLost, 0),
    (Fault("data", reply="451 4.3.0 not now"), Deferred, 0),
    (Fault("data", reply="554 5.6.0 not this"), RecipientRefused, 0),
    (Fault("data", reply="503 5.5.1 bad sequence"), TransportDown, 0),
    (Fault("data", reply="421 4.3.2 closing", drop=True), ConnectionLost, 0),
    (Fault("data", drop=True), ConnectionLost, 0),
    (Fault("data", stall=FOREVER), ConnectionLost, 0),
    (Fault("dot", reply="451 4.3.0 not now"), Deferred, 1),
    (Fault("dot", reply="421 4.3.2 closing", drop=True), Deferred, 1),
    (Fault("dot", reply="554 5.7.1 spam"), RecipientRefused, 1),
    (Fault("dot", drop=True), Uncertain, 1),
    (Fault("dot", stall=FOREVER), Uncertain, 1),
    (Fault("dot", reply="not SMTP at all"), Uncertain, 1),
    (Fault("dot", reply="354 once more"), Uncertain, 1),
    (Fault("dot", reply="2500 taken"), Uncertain, 1),
    (Fault("dot", reply="250-taken\r\n550 or not"), Uncertain, 1),
    (Fault("rcpt", reply="550-no\r\n250 or yes"), ConnectionLost, 0),
    (Fault("accepted", drop=True), Uncertain, 1),
    (Fault("accepted", stall=FOREVER), Uncertain, 1),
]


def name(row):
    fault, family, _ = row
    does = fault.reply[:3] or ("drop" if fault.drop else "stall")
    return f"{fault.stage}-{does}-{family.__name__}"


@pytest.mark.parametrize("offers", [PIPELINED, PLAIN], ids=["pipelined", "plain"])
@pytest.mark.parametrize(("fault", "family", "handed"), TABLE, ids=map(name, TABLE))
async def test_a_fault_becomes_its_family(fault, family, handed, offers, journal):
    """The stage and the code decide who is meant, and the hand-off is recorded only if the dot could have left."""
    async with SmtpSink(faults=[fault], offers=offers) as sink:
        channel = await smtp(sink.port, fault).open()
        with pytest.raises(family) as caught:
            await channel.transmit(a_message(), journal)
        await channel.close()
        assert type(caught.value) is family
        assert journal.handed == handed
        assert len(sink.accepted) == (1 if fault.stage == "accepted" else 0)
        if fault.reply[:3].isdigit() and fault.reply[3] == " ":
            assert str(caught.value.code) == fault.reply[:3]
            assert caught.value.reply == fault.reply
            assert caught.value.status == (fault.reply.split()[1] if "." in fault.reply.split()[1] else "")


@pytest.mark.parametrize("offers", [PIPELINED, PLAIN], ids=["pipelined", "plain"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("rcpt", reply="550 5.1.1 no such mailbox", nth=1),
        Fault("rcpt", reply="450 4.2.0 greylisted", nth=1),
        Fault("data", reply="554 5.6.0 not this", nth=1),
        Fault("dot", reply="554 5.7.1 spam", nth=1),
        Fault("mail", reply="550 5.7.1 sender refused", nth=1),
        Fault("quit", drop=True),
    ],
    ids=lambda fault: fault.stage + fault.reply[:3],
)
async def test_after_a_refusal_the_connection_serves_the_next(fault, offers, journal):
    """One recipient's refusal leaves nothing behind: the next message goes over the same connection."""
    async with SmtpSink(faults=[fault], offers=offers) as sink:
        channel = await smtp(sink.port).open()
        for number in (1, 2, 3):
            try:
                await channel.transmit(a_message(number), journal)
            except (RecipientRefused, Deferred, TransportDown):
                assert number == 1
        await channel.close()
        assert [message.message_id for message in sink.accepted][-2:] == ["<2@quito.example>", "<3@quito.example>"]
        assert sink.connections == 1


@pytest.mark.parametrize(
    ("fault", "family"),
    [
        (Fault("connect", reply="421 4.3.2 busy", drop=True), ConnectionLost),
        (Fault("connect", reply="554 5.3.2 go away", drop=True), ConnectionLost),
        (Fault("connect", drop=True), ConnectionLost),
        (Fault("connect", stall=FOREVER), ConnectionLost),
        (Fault("connect", reply="HTTP/1.1 400 Bad Request"), ConnectionLost),
        (Fault("connect", reply="354 go on"), ConnectionLost),
        (Fault("ehlo", reply="421 4.3.2 busy", drop=True), ConnectionLost),
        (Fault("ehlo", reply="550 5.7.1 not you"), TransportDown),
        (Fault("ehlo", reply="what?"), ConnectionLost),
        (Fault("ehlo", drop=True), ConnectionLost),
        (Fault("ehlo", stall=FOREVER), ConnectionLost),
    ],
    ids=lambda value: f"{value.stage}-{value.reply[:3] or value.drop}" if isinstance(value, Fault) else value.__name__,
)
async def test_a_server_that_lets_nobody_in(fault, family):
    """A refused connection, a banner of 4xx or 5xx and a tarpit say nothing about any recipient."""
    async with SmtpSink(faults=[fault]) as sink:
        with pytest.raises(family):
            await smtp(sink.port, fault).open()


async def test_a_closed_port_is_a_lost_connection():
    """Nobody listening is a matter of waiting."""
    async with SmtpSink() as sink:
        port = sink.port
    with pytest.raises(ConnectionLost):
        await smtp(port).open()


async def test_a_drop_in_the_body_leaves_no_mark(journal):
    """A connection lost in the body was never handed over."""
    async with SmtpSink(faults=[Fault("body", drop=True)]) as sink:
        channel = await smtp(sink.port).open()
        body = b"Subject: x\r\n\r\n" + b"x" * 70 + (b"\r\n" + b"y" * 70) * 200_000
        with pytest.raises(ConnectionLost):
            await channel.transmit(a_message(content=body), journal)
        assert journal.handed == 0
        assert sink.accepted == []


async def test_a_reader_that_stops_in_the_body_is_given_up(journal):
    """A server that takes no more octets for as long as the block may last is a lost connection."""
    silence = Fault("body", stall=FOREVER)
    async with SmtpSink(faults=[silence]) as sink:
        channel = await smtp(sink.port, silence).open()
        body = b"Subject: x\r\n\r\n" + b"x" * 70 + (b"\r\n" + b"y" * 70) * 400_000
        with pytest.raises(ConnectionLost):
            await channel.transmit(a_message(content=body), journal)
        assert journal.handed == 0


async def test_a_slow_reader_gets_it_all(journal):
    """A server that pauses in the body is waited for."""
    async with SmtpSink(faults=[Fault("body", stall=0.3)]) as sink:
        channel = await smtp(sink.port).open()
        await channel.transmit(a_message(content=b"Subject: x\r\n\r\n" + b"y" * 70 + b"\r\n"), journal)
        await channel.close()
        assert len(sink.accepted) == 1


async def test_a_word_before_the_dot_ends_it(journal):
    """A server that refuses in the middle of the body has not been handed the message."""
    async with SmtpSink(faults=[Fault("body", reply="552 5.3.4 too big")]) as sink:
        channel = await smtp(sink.port).open()

        async def slow_hand_off():
            await asyncio.sleep(0.2)
            await journal()

        with pytest.raises(ConnectionLost, match="552"):
            await channel.transmit(a_message(), slow_hand_off)
        assert sink.accepted == []


async def test_without_its_commit_nothing_is_sent():
    """If the hand-off can't be recorded, the dot never leaves and the connection is cut."""
    async with SmtpSink() as sink:
        channel = await smtp(sink.port).open()

        async def disk_full():
            raise OSError(28, "No space left on device")

        with pytest.raises(OSError, match="No space left"):
            await channel.transmit(a_message(), disk_full)
        await asyncio.sleep(0.05)
        assert sink.accepted == []
        assert not sink.sessions


async def test_a_cancelled_transmission_cuts_the_connection(journal):
    """A task cancelled in the middle leaves no half-open conversation that could be taken for an end."""
    async with SmtpSink(faults=[Fault("dot", stall=FOREVER)]) as sink:
        channel = await smtp(sink.port).open()
        task = asyncio.create_task(channel.transmit(a_message(), journal))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.05)
        assert sink.accepted == []


async def test_an_idle_connection_that_was_closed_is_replaced(journal):
    """A server that hangs up between two messages costs a new connection and nothing else."""
    async with SmtpSink() as sink:
        channel = await smtp(sink.port).open()
        await channel.transmit(a_message(1), journal)
        for session in list(sink.sessions):
            session.hang_up()
        await asyncio.sleep(0.05)
        await channel.transmit(a_message(2), journal)
        await channel.close()
        assert sink.connections == 2
        assert len(sink.accepted) == 2


async def test_a_connection_is_changed_at_its_limit(journal):
    """A server that wants few messages on a connection gets as many connections as it takes."""
    async with SmtpSink() as sink:
        channel = await smtp(sink.port, messages_per_connection=2).open()
        for number in range(5):
            await channel.transmit(a_message(number), journal)
        await channel.close()
        assert sink.connections == 3
        assert len(sink.accepted) == 5


async def test_an_open_data_without_a_recipient_is_ended_empty(journal):
    """A server that answers 354 though it refused the recipient gets an empty end, and the next message whole."""
    heard, over = [], asyncio.Event()

    async def serve(reader, writer):
        writer.write(b"220 odd\r\n")
        refused = False
        while (line := await reader.readline()) and line != b"QUIT\r\n":
            word = line[:4].upper()
            if word == b"EHLO":
                writer.write(b"250-odd\r\n250 PIPELINING\r\n")
            elif word == b"RCPT":
                refused = b"bad" in line
                writer.write(b"550 5.1.1 no\r\n" if refused else b"250 ok\r\n")
            elif word == b"DATA":
                writer.write(b"354 go\r\n")
                data = b""
                while not (b"\r\n" + data).endswith(b"\r\n.\r\n"):
                    data += await reader.readline()
                heard.append(data)
                writer.write(b"554 5.5.1 no valid recipients\r\n" if refused else b"250 ok\r\n")
            else:
                writer.write(b"250 ok\r\n")
        writer.close()
        over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    channel = await smtp(server.sockets[0].getsockname()[1]).open()
    with pytest.raises(RecipientRefused):
        await channel.transmit(a_message(1, "bad@nabon.example"), journal)
    receipt = await channel.transmit(a_message(2), journal)
    await channel.close()
    await asyncio.wait_for(over.wait(), 5)
    server.close()
    await server.wait_closed()
    assert receipt.reply == "250 ok"
    assert heard[0] == b".\r\n"
    assert len(heard) == 2
    assert journal.handed == 1
