"""
A small, fast SMTP server that takes whatever it is sent, and misbehaves as it is told.

It listens on 127.0.0.1 and delivers nowhere. What it accepted it remembers, logs or hands to a callback before it
says 250, so that its account and the sender's can be compared.
"""

import asyncio
import os
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import msgspec

from mailer.testing.faults import Fault, Script
from mailer.testing.session import Session

_MESSAGE_ID: Final = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)

OFFERS: Final = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 52428800", "ENHANCEDSTATUSCODES")


class Accepted(msgspec.Struct, frozen=True):
    """A message the server said 250 to, or was about to; `content` is empty if the server doesn't keep it."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes


class SmtpSink:
    """
    The server: `async with SmtpSink(...) as sink:` in a loop, or `with sink.in_thread():` beside one.

    Args:
        faults: What it does wrong.
        offers: What it announces in EHLO, besides STARTTLS and AUTH.
        tls: The server's certificate; offers STARTTLS, or speaks TLS at once if `implicit_tls`.
        logins: Users and passwords; AUTH is offered (under TLS alone, if there is TLS) and asked for before MAIL.
        keep: Whether messages are kept in `accepted` with their content. `False` keeps a count alone.
        log: A file that gets `Message-ID TAB recipient` for each message before its 250, synced if `durable`.
        folder: A folder that gets each message as an `.eml` file.
        on_message: Called with each message before its 250.

    """

    def __init__(
        self,
        *,
        faults: Sequence[Fault] = (),
        offers: Sequence[str] = OFFERS,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        logins: Mapping[str, str] | None = None,
        keep: bool = True,
        log: Path | None = None,
        durable: bool = False,
        folder: Path | None = None,
        on_message: Callable[[Accepted], None] | None = None,
        port: int = 0,
    ) -> None:
        self.script = Script(faults)
        self.offers = tuple(offers)
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.logins = dict(logins or {})
        self.keep = keep or folder is not None or on_message is not None
        self.accepted: list[Accepted] = []
        self.count = 0
        self.octets = 0
        self.connections = 0
        self.commands: list[str] = []
        self.host = "127.0.0.1"
        self.port = port
        self.sessions: set[Session] = set()
        self._remember = keep
        self._folder = folder
        self._on_message = on_message
        self._durable = durable
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if log else None
        self._server: asyncio.Server | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    def enter(self, session: Session) -> None:
        """Count a connection in."""
        self.sessions.add(session)
        self.connections += 1
        self._empty.clear()

    def leave(self, session: Session) -> None:
        """Count a connection out."""
        self.sessions.discard(session)
        if not self.sessions:
            self._empty.set()

    def take(self, sender: str, recipients: tuple[str, ...], content: bytes, octets: int) -> None:
        """Record a message; `content` may be its beginning alone if content isn't kept."""
        self.count += 1
        self.octets += octets
        if not self.keep and self._log is None:
            return
        found = _MESSAGE_ID.search(content, 0, 16384)
        identifier = found[1].decode("utf-8", "replace") if found else ""
        if self._log is not None:
            lines = "".join(f"{identifier}\t{recipient}\n" for recipient in recipients)
            os.write(self._log, lines.encode())
            if self._durable:
                os.fdatasync(self._log)
        if self.keep:
            self._hand_on(Accepted(identifier, sender, recipients, content))

    def _hand_on(self, message: Accepted) -> None:
        if self._remember:
            self.accepted.append(message)
        if self._folder:
            (self._folder / f"{self.count:06}.eml").write_bytes(message.content)
        if self._on_message:
            self._on_message(message)

    async def start(self) -> None:
        """Listen; `port` then holds the port."""
        if self._folder:
            self._folder.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        context = self.tls if self.implicit_tls else None
        self._server = await loop.create_server(lambda: Session(self), self.host, self.port, ssl=context, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up on everybody and stop listening."""
        if self._server:
            self._server.close()
        for session in list(self.sessions):
            session.hang_up()
        await self._empty.wait()
        if self.implicit_tls:
            await asyncio.sleep(0.05)  # connections whose handshake failed close by themselves, and no session knows
        if self._server:
            await self._server.wait_closed()
            self._server = None
        if self._log is not None:
            os.close(self._log)
            self._log = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    @contextmanager
    def in_thread(self) -> Iterator[Self]:
        """Run in a thread with a loop of its own, until the block ends."""
        loop = asyncio.new_event_loop()
        loop.run_until_complete(self.start())
        thread = threading.Thread(target=loop.run_forever, name="smtp-sink", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self.stop(), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()
