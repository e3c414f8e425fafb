"""Login by an access token, as Microsoft 365 and Google Workspace ask for."""

from base64 import b64encode

import pytest

from mailer.deliveries.transport import ConnectionLost, TransportDown
from mailer.errors import OperatorError
from mailer.testing import SmtpSink
from tests.providers.esp import Esp

from .conftest import a_message, smtp

USER = "brief@quito.example"
LOGIN = {"username": USER, "auth": "xoauth2"}


async def test_a_token_logs_in(tls, ca_file, journal):
    """The token goes under TLS by XOAUTH2 and the message arrives."""
    async with SmtpSink(tls=tls, logins={USER: "t0ken"}) as sink:
        way = smtp(sink.port, security="starttls", ca_file=ca_file, token_env="T", password="t0ken", **LOGIN)
        channel = await way.open()
        await channel.transmit(a_message(), journal)
        await channel.close()
        assert len(sink.accepted) == 1
        expected = b64encode(f"user={USER}\x01auth=Bearer t0ken\x01\x01".encode()).decode()
        assert f"AUTH XOAUTH2 {expected}" in sink.commands


async def test_a_stale_token_is_refused():
    """The challenge that says why is answered, and the refusal pauses the campaign."""
    async with SmtpSink(logins={USER: "new"}) as sink:
        with pytest.raises(TransportDown, match="535"):
            await smtp(sink.port, token_env="T", password="old", **LOGIN).open()


async def test_a_token_is_fetched_by_the_refresh_token():
    """With a refresh token a new access token is had before the login, once for many connections."""
    async with Esp((200, {}, {})).running() as esp, SmtpSink(logins={USER: "fresh"}) as sink:
        oauth = {
            "token_url": f"{esp.url}/token",
            "client_id": "brief",
            "client_secret_env": "SECRET",
            "refresh_token_env": "REFRESH",
        }
        way = smtp(sink.port, oauth=oauth, password="hidden", **LOGIN)
        for _ in range(2):
            channel = await way.open()
            await channel.close()
        (asked,) = esp.asked_for_tokens
    assert asked["grant_type"] == "refresh_token"
    assert asked["refresh_token"] == "hidden"


async def test_without_a_token_nothing_is_said(tls):
    """Nobody to give a token is a lost connection, and the mail server hears no login."""
    async with SmtpSink(logins={USER: "fresh"}) as sink:
        oauth = {"token_url": "http://127.0.0.1:9/token", "client_id": "b", "client_secret_env": "S"}
        with pytest.raises(ConnectionLost, match="no access token"):
            await smtp(sink.port, oauth=oauth, password="x", **LOGIN).open()
        assert not [command for command in sink.commands if command.startswith("AUTH")]


@pytest.mark.parametrize(
    "table",
    [
        {"auth": "xoauth2", "token_env": "T"},
        {"auth": "xoauth2", "username": USER},
        {"username": USER, "password_env": "P", "token_env": "T"},
    ],
)
def test_halves_of_a_login_are_refused(table):
    """A token without user name, none at all, or one that nobody uses is an error of the config."""
    with pytest.raises(OperatorError):
        smtp(25, **table)
