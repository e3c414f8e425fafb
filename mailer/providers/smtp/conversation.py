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
_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?![0-9])([ -]?)(.*)", re.DOTALL)
_LONGEST: Final = 64 * 1024  # a reply longer than this is no reply


class Reply(msgspec.Struct, frozen=True):
    """What a server said: its code, and what stood behind it in each line. Few replies are ever read as words."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def words(self) -> str:
        """Its words, several lines joined by a space."""
        return " ".join([readable(line) for line in self.lines]).strip()

    @property
    def status(self) -> str:
        """
        The enhanced status code (RFC 3463), or nothing.

        >>> Reply(550, (b" 5.1.1 no such mailbox",)).status
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
        self._code = b""  # of the reply whose lines are being read
        self._lines: list[bytes] = []
        self._over = ""
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False
        self._deadline = 0.0
        self._timeout = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.timed_out = False
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

    def unread_reply(self) -> Reply | None:
        """A reply that came unasked, if one did."""
        return self._replies.popleft() if self._replies else None

    def abort(self, why: str = "the connection was given up") -> None:
        """Hang up at once."""
        self._over = self._over or why
        self._stop_timer()
        self._transport.abort()

    async def _wait(self, timeout: float) -> None:  # noqa: ASYNC109 - one timer, not a scope per call
        """
        Wait for anything to happen.

        One timer serves all waits of a conversation: it is set for the first, and looks for itself whether it has to
        ring, since nearly every wait is over long before.
        """
        self._waiter = self._loop.create_future()
        self._timeout, self._deadline = timeout, self._loop.time() + timeout
        if self._timer is None or self._timer.when() > self._deadline:
            self._set_timer()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _set_timer(self) -> None:
        self._stop_timer()
        self._timer = self._loop.call_at(self._deadline, self._look_at_the_clock)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_at_the_clock(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._deadline:
            self._set_timer()
        else:
            self.timed_out = True
            self.abort(f"no answer in {self._timeout:g} seconds")

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Cut what came into lines, lines into replies."""
        *lines, self._unread = (self._unread + data if self._unread else data).split(b"\n")
        for line in lines:
            if self._over:
                break  # what stands behind nonsense can't be told to whom it answers
            self._read_line(line.rstrip(b"\r"))
        if len(self._unread) > _LONGEST or sum(map(len, self._lines)) > _LONGEST:
            self.abort("the server's reply has no end")
        self._wake()

    def _read_line(self, line: bytes) -> None:
        """Take a line for what it says; one that is none, or takes back what the line before said, ends it all."""
        match = _LINE.fullmatch(line)
        if not match or (self._lines and match[1] != self._code):  # RFC 5321 4.2.1: one code in all lines
            self.abort(f"the server said what is no SMTP reply: {line[:80].decode('utf-8', 'replace')}")
            return
        self._code, mark, words = match.groups()
        self._lines.append(words)
        if mark != b"-":
            self._replies.append(Reply(int(self._code), tuple(self._lines)))
            self._lines.clear()

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
        self._stop_timer()
        self._wake()


def readable(words: bytes) -> str:
    r"""
    What a server said, as a log, a terminal and a database can hold it.

    >>> readable(b" 5.1.1\tno\x00such mailbox\r")
    '5.1.1 no such mailbox'
    """
    text = words.decode("utf-8", "replace").strip()
    return text if text.isprintable() else "".join([char if char.isprintable() else " " for char in text])
