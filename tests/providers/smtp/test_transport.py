"""Sending over SMTP, to our server and to another's."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiosmtpd import smtp as aiosmtpd

from mailer.deliveries.transport import RecipientRefused
from mailer.errors import OperatorError
from mailer.testing import SmtpSink

from .conftest import CONTENT, a_message, smtp


class Inbox:
    """The handler of aiosmtpd: keeps what it gets."""

    def __init__(self):
        self.envelopes = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.envelopes.append(envelope)
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    return aiosmtpd.AuthResult(success=data.login == b"brief" and data.password == b"right")


@asynccontextmanager
async def independent(inbox, *, implicit_tls=None, **given):
    """Run aiosmtpd in this loop, on a free port."""
    sessions = []

    def session():
        sessions.append(aiosmtpd.SMTP(inbox, loop=asyncio.get_running_loop(), **given))
        return sessions[-1]

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=implicit_tls)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.wait_for(asyncio.gather(*(each._handler_coroutine for each in sessions), return_exceptions=True), 5)
    await server.wait_closed()


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_another_server_takes_the_messages(security, tls, ca_file, journal):
    """An independent server gets envelope and content as they are, in the clear on loopback and over both TLS."""
    inbox = Inbox()
    given = {"starttls": {"tls_context": tls, "require_starttls": True}, "tls": {"implicit_tls": tls}, "none": {}}
    if security != "none":
        given[security] |= {"authenticator": authenticate, "auth_require_tls": security == "starttls"}
    login = {} if security == "none" else {"username": "brief", "password_env": "P", "ca_file": ca_file}
    async with independent(inbox, **given[security]) as port:
        channel = await smtp(port, security=security, password="right", **login).open()
        for number in (1, 2):
            receipt = await channel.transmit(a_message(number), journal)
            assert receipt.reply == "250 2.0.0 taken"
        await channel.close()
    assert [envelope.rcpt_tos for envelope in inbox.envelopes] == [["alcaldia@nabon.example"]] * 2
    assert inbox.envelopes[0].mail_from == "b+1@rebotes.quito.example"
    assert inbox.envelopes[0].content == CONTENT
    assert journal.handed == 2


@pytest.mark.parametrize("offers", [("PIPELINING", "SIZE 1000000"), ()], ids=["pipelined", "plain"])
async def test_what_goes_over_the_wire_is_the_message(offers, journal):
    """The bytes that arrive are the bytes that were made, dots and all, whatever the server offers."""
    content = CONTENT + b".\r\n..\r\n.leading\r\n"
    async with SmtpSink(offers=offers) as sink:
        channel = await smtp(sink.port, helo="brief.quito.example").open()
        await channel.transmit(a_message(content=content), journal)
        await channel.close()
        assert sink.accepted[0].content == content
        assert sink.commands[0].lower() == "ehlo brief.quito.example"
        size = " SIZE=" if offers else ""
        assert any(f"MAIL FROM:<b+1@rebotes.quito.example>{size}" in command for command in sink.commands)
        assert sink.commands[-1] == "QUIT"


async def test_an_address_outside_ascii_needs_smtputf8(journal):
    """Without SMTPUTF8 such a recipient is refused here; with it the address goes out in UTF-8."""
    message = a_message(recipient="nabón@quito.example")
    async with SmtpSink(offers=("PIPELINING",)) as sink:
        channel = await smtp(sink.port).open()
        with pytest.raises(RecipientRefused) as caught:
            await channel.transmit(message, journal)
        assert caught.value.status == "5.6.7"
        await channel.transmit(a_message(2), journal)
        await channel.close()
        assert journal.handed == len(sink.accepted) == 1
    async with SmtpSink(offers=("PIPELINING", "8BITMIME", "SMTPUTF8")) as sink:
        channel = await smtp(sink.port).open()
        await channel.transmit(message, journal)
        await channel.close()
        assert sink.accepted[0].recipients == ("nabón@quito.example",)
        assert any("SMTPUTF8" in command for command in sink.commands)


@pytest.mark.parametrize("address", ["a@b.example>\r\nRCPT TO:<c@d.example", "a<b@c.example", "a\0@b.example"])
async def test_an_address_can_not_write_commands(address, journal):
    """An address with a bracket or a line break is refused before a word is said."""
    async with SmtpSink() as sink:
        channel = await smtp(sink.port).open()
        with pytest.raises(RecipientRefused):
            await channel.transmit(a_message(recipient=address), journal)
        await channel.close()
        assert not [command for command in sink.commands if command.startswith(("MAIL", "RCPT"))]


def test_letters_go_to_another_machine_only_under_tls():
    """`security = "none"` is for loopback alone; a login needs the name of its password."""
    for host in ("mail.quito.example", "10.0.0.1", "0.0.0.0"):
        with pytest.raises(OperatorError, match="in the clear"):
            smtp(25, host=host)
    for host in ("localhost", "127.0.0.2", "::1"):
        assert smtp(25, host=host).name == "smtp"
    with pytest.raises(OperatorError, match="password_env"):
        smtp(25, username="brief")
    with pytest.raises(OperatorError, match="ca_file"):
        smtp(25, security="tls", ca_file="/nowhere.pem")
