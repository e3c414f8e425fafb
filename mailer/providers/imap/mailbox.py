"""
Reads a mailbox over IMAP (RFC 9051, 3501), always through TLS, by password or by an OAuth access token (XOAUTH2).

Microsoft 365 and Google Workspace take tokens only: `[feedback.mailbox.oauth]` says where to fetch one.
"""

import asyncio
import imaplib
import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import msgspec

from mailer.deliveries.transport import TransportError
from mailer.errors import OperatorError
from mailer.feedback.mime import MAX_BYTES
from mailer.providers.oauth import OAuth, fetched
from mailer.providers.registry import Secrets

_TIMEOUT: Final = 60.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    `[feedback.mailbox]`: where the bounces lie, and one of password, token and where to fetch a token.

    `ca` is the text of the authority to trust (`ca_file`), in place of the system's.
    """

    host: str
    username: str
    port: int = 993
    password: str = ""
    token: str = ""
    folder: str = "INBOX"
    ca: str = ""
    oauth: OAuth = OAuth()


def with_token(settings: Settings, secrets: Secrets) -> Settings:
    """
    The settings with a token that is good now, where one is to be fetched.

    Raises:
        OperatorError: The table is wrong, or no token is given to us.

    """
    section = "feedback.mailbox.oauth"
    if settings.oauth == OAuth():
        return settings
    source = fetched(settings.oauth, section=section, secrets=secrets)
    try:
        return msgspec.structs.replace(settings, token=asyncio.run(source.current()))
    except TransportError as problem:
        raise OperatorError(f"the bounce mailbox waits: {problem.reply}; see [{section}]") from None


def unread(settings: Settings) -> Iterator[bytes]:
    """
    Every unread mail of the folder; each is marked as read when the next one is asked for, not before.

    Raises:
        OperatorError: The server isn't there, its certificate is bad, or it refuses us.

    """
    try:
        server = _connected(settings)
        try:
            _log_in(server, settings)
            yield from _mails(server, settings.folder)
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                server.logout()
    except (imaplib.IMAP4.error, OSError) as problem:
        # imaplib hands on what the server says as it came, in octets.
        said = problem.args[0].decode("utf-8", "replace") if _is_octets(problem.args) else problem
        raise OperatorError(
            f"the mailbox {settings.username} at {settings.host}:{settings.port} can't be read: {said}; "
            f"see [feedback.mailbox]"
        ) from None


def _is_octets(said: tuple[Any, ...]) -> bool:
    return bool(said) and isinstance(said[0], bytes)


def _connected(settings: Settings) -> imaplib.IMAP4_SSL:
    if bool(settings.password) == bool(settings.token):
        raise OperatorError("[feedback.mailbox] needs one of password_env, token_env and [feedback.mailbox.oauth]")
    context = ssl.create_default_context(cadata=settings.ca or None)
    return imaplib.IMAP4_SSL(settings.host, settings.port, ssl_context=context, timeout=_TIMEOUT)


def _log_in(server: imaplib.IMAP4_SSL, settings: Settings) -> None:
    if settings.password:
        server.login(settings.username, settings.password)
        return
    login = f"user={settings.username}\x01auth=Bearer {settings.token}\x01\x01".encode()
    # The server's challenge after a refusal holds its reason; an empty answer lets it end the exchange.
    server.authenticate("XOAUTH2", lambda challenge: b"" if challenge else login)


def _mails(server: imaplib.IMAP4_SSL, folder: str) -> Iterator[bytes]:
    quoted = folder.replace("\\", "\\\\").replace('"', '\\"')
    _said_ok(server.select(f'"{quoted}"'), f"there is no folder {folder}")
    found = _said_ok(server.uid("SEARCH", "UNSEEN"), "the server can't search")
    for number in (found[0] or b"").split():
        uid = number.decode("ascii")
        fetched = _said_ok(server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MAX_BYTES}>)"), "a mail can't be fetched")
        raw = next((part[1] for part in fetched if isinstance(part, tuple)), None)
        if raw is not None:
            yield raw
        _said_ok(server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)"), "a mail can't be marked as read")


def _said_ok(answer: tuple[str, list[Any]], otherwise: str) -> list[Any]:
    status, data = answer
    if status != "OK":
        told = data[0].decode("utf-8", "replace") if data and isinstance(data[0], bytes) else ""
        raise imaplib.IMAP4.error(f"{otherwise} {told}".strip())
    return data
