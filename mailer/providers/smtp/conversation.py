"""
An open SMTP connection as a conversation: octets out, replies in, in the order they come.

aiosmtplib connects, secures and logs in; then this protocol takes its connection over, because the library drops
replies that nobody waits for, and a pipelined envelope has three at once (RFC 2920).
"""

import asyncio
import re
from collections import deque
from typing import Final

import msgspec

_STATUS: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
_LINE: Final = re.compile(rb"([2-5][0-9][0-9])([ -]?)(.*)", re.DOTALL)
_LONGEST: Final = 64 * 1024  # a reply longer than this is no reply


class Reply(msgspec.Struct, frozen=True):
    """What a server said: its code and its words, several lines joined by a space."""

    code: int
    words: str

    @property
    def status(self) -> str:
        """
        The enhanced status code (RFC 3463), or nothing.

        >>> Reply(550, "5.1.1 no such mailbox").status
        '5.1.1'
        """
        found = _STATUS.match(self.words)
        return found[1] if found else ""

    @property
    def accepts(self) -> bool:
        """Whether the command was carried out."""
        return 200 <= self.code < 300  # noqa: PLR2004 - RFC 5321 4.2.1

    def __str__(self) -> str:
        return f"{self.code} {self.words}".strip()


class Ended(Exception):
    """The conversation is over: dropped, timed out, or no longer SMTP."""


class Conversation(asyncio.Protocol):
    """The client's side of an open SMTP connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._replies: deque[Reply] = deque()
        self._unread = b""
        self._words: list[str] = []
        self._over = ""
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False
        transport.set_protocol(self)
        if transport.is_closing():
            self._over = "the connection was closed"

    @property
    def is_over(self) -> bool:
        """Whether nothing can be said any more."""
        return bool(self._over) or self._transport.is_closing()

    @property
    def has_reply(self) -> bool:
        """Whether the server said something that nobody has read."""
        return bool(self._replies)

    def send(self, octets: bytes) -> None:
        """
        Say something; it is on its way when this returns, not there.

        Raises:
            Ended: The conversation is over, and not an octet of this was sent.

        """
        if self.is_over:
            raise Ended(self._over or "the connection was closed")
        self._transport.write(octets)

    async def drained(self, timeout: float) -> None:  # noqa: ASYNC109 - one timer, not a scope per call
        """
        Wait until the server has taken what was said.

        Raises:
            Ended: It was dropped, or took nothing for `timeout` seconds.

        """
        while self._paused:
            await self._wait(timeout)
        if self.is_over:
            raise Ended(self._over or "the connection was closed")

    async def reply(self, timeout: float) -> Reply:  # noqa: ASYNC109 - one timer, not a scope per call
        """
        The next reply.

        Raises:
            Ended: The connection was dropped, or no reply came in `timeout` seconds.

        """
        while not self._replies:
            if self.is_over:
                raise Ended(self._over or "the connection was closed")
            await self._wait(timeout)
        return self._replies.popleft()

    def abort(self, why: str = "the connection was given up") -> None:
        """Hang up at once."""
        self._over = self._over or why
        self._transport.abort()

    async def _wait(self, timeout: float) -> None:  # noqa: ASYNC109 - one timer, not a scope per call
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(timeout, self.abort, f"no answer in {timeout:g} seconds")
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Cut what came into lines, lines into replies."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            if self._over:
                break  # what stands behind nonsense can't be told to whom it answers
            self._read_line(line.rstrip(b"\r"))
        if len(self._unread) > _LONGEST or sum(map(len, self._words)) > _LONGEST:
            self.abort("the server's reply has no end")
        self._wake()

    def _read_line(self, line: bytes) -> None:
        match = _LINE.fullmatch(line)
        if not match:
            self.abort(f"the server said what is no SMTP reply: {line[:80].decode('utf-8', 'replace')}")
            return
        self._words.append(match[3].decode("utf-8", "replace").strip())
        if match[2] != b"-":
            self._replies.append(Reply(code=int(match[1]), words=" ".join(self._words).strip()))
            self._words = []

    def pause_writing(self) -> None:
        """Note that the server takes nothing for now."""
        self._paused = True

    def resume_writing(self) -> None:
        """Note that the server takes octets again."""
        self._paused = False
        self._wake()

    def eof_received(self) -> bool:
        """Note that the server hung up."""
        self._over = self._over or "the server hung up"
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self._over = self._over or (f"the connection was lost ({exc})" if exc else "the connection was lost")
        self._paused = False
        self._wake()
