"""Microsoft Graph's sendMail as its documentation describes it, with tokens that are fetched."""

from base64 import b64decode

import pytest

from mailer.deliveries.transport import ConnectionLost, RecipientRefused, TransportDown
from mailer.errors import OperatorError
from tests.providers.esp import TAKEN, Esp, Journal, a_message, send, transport


def oauth(esp, **more):
    return {
        "token_env": "",
        "oauth": {"token_url": f"{esp.url}/token", "client_id": "brief", "client_secret_env": "SECRET"} | more,
    }


async def test_the_bytes_travel_as_they_are():
    """The message goes in base64 as text/plain, by a token that is fetched once for many messages."""
    message = a_message()
    async with Esp(TAKEN["graph"]).running() as esp:
        channel = await transport("graph", esp.url, **oauth(esp)).open()
        for _ in range(3):
            await channel.transmit(message, Journal())
        await channel.close()
    posted = esp.posted[0]
    assert posted.path == "/v1.0/users/brief%40quito.example/sendMail"
    assert posted.headers["content-type"] == "text/plain"
    assert posted.headers["authorization"] == "Bearer fresh"
    assert b64decode(posted.body) == message.content
    assert esp.asked_for_tokens == [
        {
            "client_id": "brief",
            "client_secret": "secret of SECRET",
            "grant_type": "client_credentials",
            "scope": "https://graph.microsoft.com/.default",
        }
    ]


async def test_a_token_of_the_environment_is_used_as_it_is():
    """A token that the environment holds is sent as it is, and no server is asked for another."""
    async with Esp(TAKEN["graph"]).running() as esp:
        await send("graph", esp)
    assert esp.posted[0].headers["authorization"] == "Bearer secret of KEY"
    assert esp.asked_for_tokens == []


@pytest.mark.parametrize(
    ("answer", "family"),
    [
        ((400, {}, {"error": "invalid_client", "error_description": "AADSTS7000215: wrong secret"}), TransportDown),
        ((503, {}, {}), ConnectionLost),
        ((429, {}, {}), ConnectionLost),
        ((200, {}, {"no": "token"}), TransportDown),
    ],
)
async def test_no_token_no_message(answer, family):
    """A refused client pauses the campaign, a busy server is waited for."""
    async with Esp(TAKEN["graph"]).running() as esp:
        esp.token = answer
        with pytest.raises(family, match="no access token"):
            await transport("graph", esp.url, **oauth(esp)).open()


async def test_a_refused_token_is_fetched_anew():
    """After a 401 the next channel asks for another token."""
    async with Esp((401, {}, {"error": {"code": "InvalidAuthenticationToken"}}), TAKEN["graph"]).running() as esp:
        way = transport("graph", esp.url, **oauth(esp))
        channel = await way.open()
        with pytest.raises(TransportDown):
            await channel.transmit(a_message(), Journal())
        await channel.transmit(a_message(), Journal())
        await channel.close()
    assert len(esp.asked_for_tokens) == 2


@pytest.mark.parametrize(
    ("status", "code", "family"),
    [(400, "ErrorInvalidRecipients", RecipientRefused), (403, "ErrorSendAsDenied", TransportDown)],
)
async def test_codes(status, code, family):
    """The code says whether the recipient is meant."""
    async with Esp((status, {}, {"error": {"code": code, "message": "no"}})).running() as esp:
        with pytest.raises(family):
            await send("graph", esp)


async def test_a_message_too_large_is_said():
    """What one request can't hold never leaves."""
    async with Esp(TAKEN["graph"]).running() as esp:
        with pytest.raises(TransportDown, match="3 MB"):
            await send("graph", esp, a_message(body=b"Content-Type: text/plain\r\n\r\n" + b"Quito \r\n" * 500_000))
    assert esp.posted == []


@pytest.mark.parametrize(
    "table",
    [
        {"token_env": ""},
        {"oauth": {"token_url": "https://login.quito.example/token"}},
        {"token_env": "", "oauth": {"token_url": "https://login.quito.example/token"}},
        {"token_env": "", "oauth": {"token_url": "http://q.example", "client_id": "b", "client_secret_env": "S"}},
    ],
)
def test_tokens_need_one_source(table):
    """None, two, half a source, or one in the clear is an error of the config."""
    with pytest.raises(OperatorError):
        transport("graph", "https://graph.quito.example", **table)
