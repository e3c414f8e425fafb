"""An SMTP server of ours for each test, and messages to hand it."""

import ssl

import pytest
import trustme

from mailer.messages.message import Message
from mailer.providers import registry
from tests.patience import patience

CONTENT = b"Message-ID: <1@quito.example>\r\nSubject: Brief\r\n\r\nHola\r\n"


def a_message(number=1, recipient="alcaldia@nabon.example", content=CONTENT):
    return Message(
        message_id=f"<{number}@quito.example>",
        sender="b+1@rebotes.quito.example",
        recipient=recipient,
        content=content.replace(b"<1@", b"<%d@" % number),
    )


class Journal:
    """Counts hand-offs, as the engine's ledger would record them."""

    def __init__(self):
        self.handed = 0

    async def __call__(self):
        self.handed += 1


def smtp(port, *faults, password="", **table):
    table = {"host": "127.0.0.1", "port": port, "security": "none", "timeouts": patience(faults)} | table
    return registry.make("smtp", table, name="smtp", secrets=lambda key, variable: password)


@pytest.fixture
def journal():
    return Journal()


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def certificate(authority, *names, **given):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **given).configure_cert(context)
    return context


@pytest.fixture(scope="session")
def tls(authority):
    return certificate(authority, "127.0.0.1")
