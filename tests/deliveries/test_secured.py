"""TLS that was asked for is had, or not a word of a letter or a password leaves; nobody is marked for it."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from stage import Stage
from wire import over_smtp, said

from mailer.deliveries.orders import Ending
from mailer.testing import SmtpSink

LOGIN = {"brief": "right"}


def certified(authority: trustme.CA, *names: str, **given: object) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **given).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def way(authority: trustme.CA, tmp_path: Path):
    """A transport that asks for STARTTLS and a login, and trusts the authority."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    login = {"username": "brief", "password_env": "P", "password": "right"}
    return lambda sink: over_smtp(sink, security="starttls", ca_file=str(file), **login)


async def test_under_tls_everybody_is_sent_one(stage: Stage, authority: trustme.CA, way):
    """With a good certificate the login and the letters go through."""
    stage.people(3)
    campaign = stage.campaign()
    async with SmtpSink(tls=certified(authority, "127.0.0.1"), logins=LOGIN) as sink:
        result = await stage.sending(campaign, way(sink))
        assert (result.ending, result.account.sent, sink.count) == (Ending.DONE, 3, 3)


@pytest.mark.parametrize("trouble", ["expired", "for another name", "of an unknown authority", "stripped"])
async def test_bad_or_stripped_tls_pauses_and_says_nothing(stage: Stage, authority: trustme.CA, way, trouble: str):
    """All stay pending, the words say what is wrong, and neither password nor letter went over the wire."""
    stage.people(3)
    campaign = stage.campaign()
    context = {
        "expired": lambda: certified(authority, "127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)),
        "for another name": lambda: certified(authority, "mail.otra.example"),
        "of an unknown authority": lambda: certified(trustme.CA(), "127.0.0.1"),
        "stripped": lambda: None,
    }[trouble]()
    async with SmtpSink(tls=context, logins=LOGIN) as sink:
        result = await stage.sending(campaign, way(sink))
        assert (result.ending, result.account.pending) == (Ending.DOWN, 3)
        assert "STARTTLS" in result.reason if trouble == "stripped" else "certificate" in result.reason.casefold()
        assert not said(sink, "AUTH", "MAIL", "RCPT", "DATA")
