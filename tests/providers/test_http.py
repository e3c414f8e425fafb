"""What each fault of an API becomes, whichever the provider."""

import asyncio
import gzip
import json
import socket
import ssl
from urllib.parse import unquote

import pytest
import trustme

from mailer.deliveries.transport import (
    ConnectionLost,
    Deferred,
    RecipientRefused,
    Throttled,
    TransportDown,
    Uncertain,
)
from mailer.errors import OperatorError
from mailer.providers.answer import Answer, retry_after
from tests.providers.esp import (
    DRIP,
    DROP,
    DROP_EARLY,
    HERE,
    KINDS,
    NOT_HERE,
    STALL,
    TAKEN,
    TOKEN,
    Esp,
    Journal,
    a_message,
    send,
    transport,
)

KEYED = ("brevo", "resend")  # take a key once
ONCE_ONLY = tuple(kind for kind in KINDS if kind not in KEYED)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_is_taken(kind):
    """Each provider's yes is a receipt, with its id where there is one, after one hand-off."""
    journal = Journal()
    async with Esp(TAKEN[kind]).running() as esp:
        receipt = await send(kind, esp, journal=journal)
    assert bool(receipt.provider_id) == (kind != "graph")
    assert journal.handed == len(esp.posted) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("answer", "family", "wait"),
    [
        ((429, {"Retry-After": "7"}, {}), Throttled, 7),
        ((500, {}, {}), Deferred, 0),
        ((503, {"Retry-After": "3"}, {}), Throttled, 3),
        ((504, {}, {}), Uncertain, 0),
        ((401, {}, {"message": "wrong key"}), TransportDown, 0),
        ((403, {}, {"message": "the sender is not verified"}), TransportDown, 0),
        ((400, {}, {"message": "what is this?"}), TransportDown, 0),
        ((302, {"Location": "https://elsewhere.example/"}, {}), TransportDown, 0),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else "",
)
async def test_refusals_are_told_apart(kind, answer, family, wait):
    """A status says who is meant; what names nobody is about us."""
    async with Esp(answer).running() as esp:
        with pytest.raises(family) as caught:
            await send(kind, esp)
    assert caught.value.code == answer[0]
    if family in {Deferred, Throttled}:
        assert caught.value.retry_after == wait


async def test_who_asks_for_time_is_left_alone():
    """A provider that limits our pace keeps back all channels: for a moment they wait, for longer they give way."""
    async with Esp(
        (429, {"Retry-After": "0.2"}, {}), (429, {"Retry-After": "3000"}, {}), TAKEN["ses"]
    ).running() as esp:
        way = transport("ses", esp.url)
        channels = [await way.open() for _ in range(2)]
        asked = asyncio.get_running_loop().time()
        for channel in (*channels, *channels):
            with pytest.raises(Throttled):
                await channel.transmit(a_message(), Journal())
        with pytest.raises(Throttled, match="asked to wait"):
            await way.open()
        for channel in channels:
            await channel.close()
    assert len(esp.posted) == 2
    assert asyncio.get_running_loop().time() - asked >= 0.2


@pytest.mark.parametrize("kind", ONCE_ONLY)
@pytest.mark.parametrize("fault", [DROP, STALL])
async def test_a_lost_answer_is_uncertain(kind, fault):
    """Once the whole request is out, silence and a hang-up leave it open, and nothing is sent twice."""
    journal = Journal()
    async with Esp(fault).running() as esp:
        with pytest.raises(Uncertain):
            await send(kind, esp, journal=journal)
    assert journal.handed == len(esp.posted) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_there_is_a_lost_connection(kind):
    """Without a connection nothing was handed over."""
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{plug.getsockname()[1]}"
        with pytest.raises(ConnectionLost):
            await transport(kind, url).open()


async def test_an_unknown_certificate_is_refused():
    """Who can't prove to be the provider hears no key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    heard = []

    async def serve(reader, writer):
        heard.append(await reader.read())

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        with pytest.raises(TransportDown, match=r"(?i)certificate"):
            await transport("postmark", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}").open()
    assert heard == []


async def test_the_server_may_vanish_between_two_messages():
    """A connection refused after the first message hands nothing over."""
    journal = Journal()
    async with Esp(TAKEN["ses"]).running() as esp:
        channel = await transport("ses", esp.url).open()
        await channel.transmit(a_message(), journal)
    await asyncio.sleep(0.05)
    with pytest.raises(ConnectionLost):
        await channel.transmit(a_message(), journal)
    await channel.close()
    assert journal.handed == 1


async def test_a_hang_up_within_the_request_hands_nothing_over():
    """A drop before the last octet is a lost connection, without a hand-off if the body is long."""
    async with Esp(DROP_EARLY).running() as esp:
        long = a_message(body=b"Content-Type: text/plain\r\n\r\n" + b"Quito \r\n" * 2_000_000)
        journal = Journal()
        with pytest.raises(ConnectionLost):
            await send("mailgun", esp, long, journal)
    assert journal.handed == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("said", ["<h1>Welcome</h1>", {}, {"ok": True}], ids=str)
async def test_a_strangers_yes_is_no_receipt(kind, said):
    """A 200 that isn't the API's own, as a proxy's login page gives, is no proof that the message was taken."""
    async with Esp((200, {}, said)).running() as esp:
        with pytest.raises(Uncertain):
            await send(kind, esp)


async def test_an_answer_by_drops_comes_to_an_end():
    """Who is given an answer octet by octet waits for no more of it than for any answer."""
    async with Esp(DRIP).running() as esp:
        with pytest.raises(Uncertain):
            await send("ses", esp)
    assert esp.drops < 49


async def test_an_answer_is_not_unpacked():
    """A compressed answer is not asked for; one that comes all the same isn't blown up to a thousand times its size."""
    packed = gzip.compress(json.dumps({"MessageId": "1"}).encode())
    async with Esp((200, {"Content-Encoding": "gzip"}, packed)).running() as esp:
        with pytest.raises(Uncertain):
            await send("ses", esp)
    assert esp.posted[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("kind", KINDS)
async def test_the_last_octet_waits_for_the_record(kind):
    """When the hand-off is being recorded the server can't have the whole request; a failed record takes it back."""
    async with Esp(TAKEN[kind]).running() as esp:

        async def fail():
            await asyncio.sleep(0.1)
            raise RuntimeError("the disk is full")

        with pytest.raises(RuntimeError, match="disk"):
            await send(kind, esp, journal=fail)
        await asyncio.sleep(0.05)
        assert esp.posted == []
        assert esp.received > 100


@pytest.mark.parametrize("kind", KINDS)
async def test_an_address_beyond_ascii_is_refused(kind):
    """A recipient outside ASCII is refused before anything is sent: no API offers SMTPUTF8."""
    async with Esp(TAKEN[kind]).running() as esp:
        with pytest.raises(RecipientRefused):
            await send(kind, esp, a_message(recipient="ñandú@nabon.example"))
    assert esp.posted == []


@pytest.mark.parametrize("kind", ["brevo", "postmark", "sendgrid"])
async def test_a_wrong_key_shows_at_once(kind):
    """Where a key can be shown harmlessly, a wrong one is refused before the first message."""
    async with Esp(TAKEN[kind], probe=(401, {}, {"message": "wrong key"})).running() as esp:
        with pytest.raises(TransportDown, match="wrong key"):
            await transport(kind, esp.url).open()


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_never_travels_in_the_clear(kind):
    """An address without TLS is refused, but for this machine's own."""
    with pytest.raises(OperatorError, match="https"):
        transport(kind, "http://api.quito.example")


@pytest.mark.parametrize("kind", ["brevo", "mailjet", "postmark", "resend", "sendgrid"])
async def test_what_an_api_is_not_given_is_said(kind):
    """A message with something besides text and HTML stops the campaign instead of losing a part."""
    async with Esp(TAKEN[kind]).running() as esp:
        with pytest.raises(TransportDown, match="application/pdf"):
            await send(kind, esp, a_message(body=b"Content-Type: application/pdf\r\n\r\nx"))


@pytest.mark.parametrize("kind", KINDS)
async def test_many_messages_share_a_connection(kind):
    """Messages that follow one another go by one connection."""
    async with Esp(TAKEN[kind]).running() as esp:
        channel = await transport(kind, esp.url).open()
        for _ in range(5):
            await channel.transmit(a_message(), Journal())
        await channel.close()
    assert len(esp.posted) == 5
    assert esp.connections == 1


@pytest.mark.parametrize("kind", HERE)
async def test_a_lost_answer_is_asked_after(kind):
    """Where the provider can be asked by our id, what it has is sent, and nothing is posted twice."""
    async with Esp(DROP, probe=(200, {}, HERE[kind])).running() as esp:
        receipt = await send(kind, esp)
    assert "found" in receipt.reply
    assert receipt.provider_id == ("" if kind == "mailgun" else "7")
    assert len(esp.posted) == 1
    assert TOKEN in unquote(esp.probed[-1].path)


@pytest.mark.parametrize("kind", HERE)
@pytest.mark.parametrize("answer", ["not here", "refused"])
async def test_what_is_not_found_stays_uncertain(kind, answer):
    """That a message isn't listed, or that we may not ask, proves nothing."""
    said = (200, {}, NOT_HERE[kind]) if answer == "not here" else (403, {}, {})
    async with Esp(DROP).running() as esp:
        channel = await transport(kind, esp.url).open()
        esp.probe = said
        with pytest.raises(Uncertain):
            await channel.transmit(a_message(), Journal())
        await channel.close()
    assert len(esp.posted) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:29:00 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Sun, 21 Oct 2150 07:28:00 GMT"}, 86_400.0),
        ({"x-ratelimit-reset": "1792567740", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60.0),
        ({"x-ratelimit-reset": "1792567740000", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60.0),
        ({"x-ratelimit-reset": "12"}, 12.0),
        ({"ratelimit-reset": "2"}, 2.0),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "nan"}, 0.0),
        ({"retry-after": "1e99"}, 86_400.0),
        ({}, 0.0),
    ],
)
def test_how_long_to_wait(headers, seconds):
    """Seconds, dates with and without the server's own clock, resets in epoch and in span, and rubbish."""
    assert retry_after(Answer(429, headers, b"")) == seconds
