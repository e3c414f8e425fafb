"""TLS and login: had as asked for, or nothing is said."""

from datetime import UTC, datetime

import pytest

from mailer.deliveries.transport import ConnectionLost, TransportDown
from mailer.testing import Fault, SmtpSink

from .conftest import a_message, certificate, smtp


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_messages_and_login_go_under_tls(security, tls, ca_file, journal):
    """With the right certificate and password the message arrives."""
    async with SmtpSink(tls=tls, implicit_tls=security == "tls", logins={"brief": "right"}) as sink:
        transport = smtp(
            sink.port, security=security, ca_file=ca_file, username="brief", password_env="P", password="right"
        )
        channel = await transport.open()
        await channel.transmit(a_message(), journal)
        await channel.close()
        assert len(sink.accepted) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("wrong", ["name", "authority", "expired"])
async def test_a_bad_certificate_is_refused(security, wrong, authority, tls, ca_file):
    """A certificate for another name, of an unknown authority or out of date ends it before any login."""
    past = datetime(2020, 1, 1, tzinfo=UTC)
    context = {
        "name": lambda: certificate(authority, "mail.otra.example"),
        "authority": lambda: tls,
        "expired": lambda: certificate(authority, "127.0.0.1", not_after=past),
    }[wrong]()
    table = {} if wrong == "authority" else {"ca_file": ca_file}
    async with SmtpSink(tls=context, implicit_tls=security == "tls", logins={"brief": "right"}) as sink:
        transport = smtp(sink.port, security=security, username="brief", password_env="P", password="right", **table)
        with pytest.raises(TransportDown, match=r"(?i)certificate"):
            await transport.open()
        assert not [command for command in sink.commands if command.startswith(("AUTH", "MAIL"))]


async def test_stripped_starttls_never_falls_back_to_plaintext():
    """A server, or somebody before it, that hides STARTTLS gets neither password nor message."""
    async with SmtpSink(logins={"brief": "right"}) as sink:
        transport = smtp(sink.port, security="starttls", username="brief", password_env="P", password="right")
        with pytest.raises(TransportDown, match="STARTTLS"):
            await transport.open()
        assert not [command for command in sink.commands if command.startswith(("AUTH", "MAIL", "STARTTLS"))]


@pytest.mark.parametrize(
    ("fault", "family"),
    [
        (Fault("starttls", reply="454 4.7.0 not now"), ConnectionLost),
        (Fault("starttls", reply="554 5.7.0 never"), TransportDown),
        (Fault("starttls", drop=True), ConnectionLost),
        (Fault("starttls", reply="220 go ahead", drop=True), ConnectionLost),
        (Fault("starttls", stall=float("inf")), ConnectionLost),
        (Fault("auth", reply="535 5.7.8 wrong"), TransportDown),
        (Fault("auth", reply="454 4.7.0 not now"), ConnectionLost),
        (Fault("auth", reply="421 4.3.2 closing", drop=True), ConnectionLost),
        (Fault("auth", drop=True), ConnectionLost),
        (Fault("auth", stall=float("inf")), ConnectionLost),
    ],
    ids=lambda value: f"{value.stage}-{value.reply[:3] or value.drop}" if isinstance(value, Fault) else value.__name__,
)
async def test_faults_on_the_way_in(fault, family, tls, ca_file):
    """Between the banner and the first message a 5xx is about us, and anything passing is waited for."""
    async with SmtpSink(tls=tls, logins={"brief": "right"}, faults=[fault]) as sink:
        login = {"username": "brief", "password_env": "P", "password": "right"}
        transport = smtp(sink.port, fault, security="starttls", ca_file=ca_file, **login)
        with pytest.raises(family) as caught:
            await transport.open()
        assert "right" not in str(caught.value)
        assert not [command for command in sink.commands if command.startswith("MAIL")]


async def test_a_refused_login_says_what_the_server_said(tls, ca_file):
    """A wrong password is our trouble, in the server's words."""
    async with SmtpSink(tls=tls, logins={"brief": "right"}) as sink:
        transport = smtp(
            sink.port, security="starttls", ca_file=ca_file, username="brief", password_env="P", password="wrong"
        )
        with pytest.raises(TransportDown) as caught:
            await transport.open()
        assert caught.value.code == 535
        assert caught.value.reply == "535 5.7.8 wrong name or password"
