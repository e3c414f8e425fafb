"""The bounce mailbox, read from a server that speaks enough IMAP over TLS."""

import asyncio
import re
import socketserver
import ssl
import threading
from base64 import b64decode

import pytest
import trustme

from mailer.errors import OperatorError
from mailer.providers.imap.mailbox import Settings, unread, with_token
from mailer.providers.oauth import OAuth
from tests.providers.esp import Esp

AUTHORITY = trustme.CA()


class Mailbox(socketserver.ThreadingTCPServer):
    """A server with one folder; `seen` holds the numbers of the mails marked as read."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, mails):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.mails = dict(enumerate(mails, start=1))
        self.seen = set()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        AUTHORITY.issue_cert("127.0.0.1").configure_cert(self.context)

    def get_request(self):
        connection, address = super().get_request()
        try:
            return self.context.wrap_socket(connection, server_side=True), address
        except ssl.SSLError:  # the client doesn't trust us
            connection.close()
            raise

    def handle_error(self, request, client_address):
        """A client that hangs up is no news."""


class Conversation(socketserver.StreamRequestHandler):
    """One client's commands, answered."""

    def handle(self):
        self.say(b"* OK ready")
        while line := self.rfile.readline():
            tag, _, command = line.strip().partition(b" ")
            self.say(tag + b" " + self.answer(command))

    def say(self, line):
        self.wfile.write(line + b"\r\n")

    def answer(self, command):
        box = self.server
        if command.startswith(b"CAPABILITY"):
            self.say(b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2")
        elif command.startswith(b"LOGIN"):
            return b"OK done" if b'"a password"' in command else b"NO [AUTHENTICATIONFAILED] wrong password"
        elif command.startswith(b"AUTHENTICATE XOAUTH2"):
            self.say(b"+ ")
            given = b64decode(self.rfile.readline().strip())
            if given != b"user=rebotes\x01auth=Bearer a token\x01\x01":
                self.say(b"+ e30=")
                self.rfile.readline()
                return b"NO token refused"
        elif command.startswith(b"SELECT"):
            return b"OK done" if b"INBOX" in command else b"NO no such folder"
        elif command.startswith(b"UID SEARCH"):
            left = sorted(box.mails.keys() - box.seen)
            self.say(b"* SEARCH " + b" ".join(b"%d" % uid for uid in left))
        elif fetch := re.match(rb"UID FETCH (\d+)", command):
            raw = box.mails[int(fetch[1])]
            self.wfile.write(b"* 1 FETCH (UID %s BODY[]<0> {%d}\r\n%s)\r\n" % (fetch[1], len(raw), raw))
        elif store := re.match(rb"UID STORE (\d+)", command):
            box.seen.add(int(store[1]))
        elif command.startswith(b"LOGOUT"):
            self.say(b"* BYE")
        return b"OK done"


@pytest.fixture
def mailbox():
    server = Mailbox([b"Subject: one\r\n\r\n1", b"Subject: two\r\n\r\n2", b"Subject: three\r\n\r\n3"])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def settings(mailbox, tmp_path):
    ca = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(ca)

    def make(**given):
        plausible = {
            "host": "127.0.0.1",
            "port": mailbox.server_address[1],
            "username": "rebotes",
            "ca": ca.read_text(),
        }
        return Settings(**plausible | given)

    return make


@pytest.mark.parametrize("login", [{"password": "a password"}, {"token": "a token"}])
def test_unread_mail_is_read_once(mailbox, settings, login):
    """What is unread comes once, by password or token, and is marked as read."""
    assert [raw[-1:] for raw in unread(settings(**login))] == [b"1", b"2", b"3"]
    assert list(unread(settings(**login))) == []
    assert mailbox.seen == {1, 2, 3}


def test_mail_is_marked_only_after_it_was_taken(mailbox, settings):
    """A mail whose taking-in fails stays unread."""
    mails = unread(settings(password="a password"))
    next(mails)
    next(mails)
    mails.close()
    assert mailbox.seen == {1}


@pytest.mark.parametrize("login", [{"password": "wrong"}, {"token": "wrong"}, {}, {"password": "a", "token": "b"}])
def test_refusals_are_one_sentence(settings, login):
    """A wrong password or token, none, or both, is said to the operator."""
    with pytest.raises(OperatorError, match=r"feedback\.mailbox"):
        list(unread(settings(**login)))


def test_strange_certificate_is_refused(settings):
    """A server whose certificate nobody vouches for isn't told the password."""
    with pytest.raises(OperatorError, match="certificate"):
        list(unread(settings(password="a password", ca="")))


def test_missing_folder_is_said(settings):
    """A folder that isn't there is named."""
    with pytest.raises(OperatorError, match="Rebotes"):
        list(unread(settings(password="a password", folder="Rebotes")))


async def test_tokens_are_fetched(settings, mailbox):
    """Where the table says where tokens come from, one is fetched before the mailbox is opened."""
    async with Esp((200, {}, {})).running() as esp:
        esp.token = (200, {}, {"access_token": "a token", "expires_in": 3600})
        oauth = OAuth(token_url=f"{esp.url}/token", client_id="us", client_secret_env="SECRET", scope="mail")
        given = await asyncio.to_thread(with_token, settings(oauth=oauth), lambda key, variable: f"{variable}!")
        assert [raw[-1:] for raw in await asyncio.to_thread(lambda: list(unread(given)))] == [b"1", b"2", b"3"]
        assert esp.asked_for_tokens == [
            {"client_id": "us", "client_secret": "SECRET!", "grant_type": "client_credentials", "scope": "mail"}
        ]
        esp.token = (400, {}, {"error": "invalid_client"})
        with pytest.raises(OperatorError, match=r"invalid_client.*feedback\.mailbox\.oauth"):
            await asyncio.to_thread(with_token, settings(oauth=oauth), lambda key, variable: "s")
