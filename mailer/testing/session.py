"""One connection to the sink: an SMTP server's side of the conversation (RFC 5321), made for speed."""

import asyncio
import math
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mailer.testing.faults import Fault, Stage

if TYPE_CHECKING:
    from mailer.testing.sink import SmtpSink

_END: Final = b"\r\n.\r\n"
_DOT_LINE: Final = b"\n.\r\n"
_HEADER: Final = 16 * 1024  # as much of a message is looked at for its Message-ID


def _go_on() -> None:
    """Do nothing but what comes next."""


class Session(asyncio.Protocol):
    """Reads commands and data as they come, pipelined or not; a fault may hold it still."""

    def __init__(self, sink: "SmtpSink") -> None:
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._inbox = b""
        self._held = False
        self._is_reading = False
        self._replies: list[bytes] = []
        self._secured = sink.implicit_tls
        self._known = not sink.logins
        self._answer: Callable[[str], None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._forget()

    def _forget(self) -> None:
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._in_data = False
        self._chunks: list[bytes] = []
        self._octets = 0
        self._met_body = False
        self._tail = b"\r\n"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet whoever connects; after STARTTLS the same session goes on."""
        self._transport = transport  # type: ignore[assignment]  # a stream's
        if self in self._sink.sessions:
            return
        self._sink.enter(self)
        self._meet("connect", lambda: self._say("220 sink.example ESMTP"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the connection."""
        self._sink.leave(self)
        self._held = True

    def hang_up(self) -> None:
        """End the conversation without a word."""
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Go on with what came."""
        self._inbox = self._inbox + data if self._inbox else data
        self._is_reading = True
        self._advance()
        self._is_reading = False
        self._flush()

    def _advance(self) -> None:
        while self._inbox and not self._held:
            if not (self._take_body() if self._in_data else self._take_line()):
                return

    def _meet(self, stage: Stage, proceed: Callable[[], None], address: str = "") -> None:
        """Do what the stage asks for, or what the script has in its place."""
        fault = self._sink.script.meet(stage, address or ",".join(self._recipients))
        if fault is None:
            proceed()
        elif fault.stall:
            self._held = True
            if self._transport:
                self._transport.pause_reading()
            if not math.isinf(fault.stall):
                self._loop.call_later(fault.stall, self._let_go, fault, proceed)
        else:
            self._act(fault, proceed)

    def _let_go(self, fault: Fault, proceed: Callable[[], None]) -> None:
        if not self._transport or self._transport.is_closing():
            return
        self._held = False
        self._transport.resume_reading()
        self._act(fault, proceed)
        self._advance()

    def _act(self, fault: Fault, proceed: Callable[[], None]) -> None:
        if fault.reply:
            self._say(fault.reply)
            if fault.stage in {"dot", "accepted"}:
                self._forget()
        elif not fault.drop:
            proceed()
        if fault.drop and self._transport:
            self._held = True
            self._flush()
            self._transport.close()

    def _say(self, reply: str) -> None:
        """Answer; what was asked for in one go is answered in one go, as servers do (RFC 2920 3.2)."""
        self._replies.append(f"{reply}\r\n".encode())
        if not self._is_reading:
            self._flush()

    def _flush(self) -> None:
        if self._transport and self._replies:
            self._transport.write(b"".join(self._replies))
            self._replies.clear()

    def _take_line(self) -> bool:
        line, end, rest = self._inbox.partition(b"\n")
        if not end:
            return False
        self._inbox = rest
        text = line.decode("utf-8", "replace").strip()
        if self._answer:
            answer, self._answer = self._answer, None
            answer(text)
            return True
        self._command(text)
        return True

    def _command(self, text: str) -> None:
        verb, _, argument = text.partition(" ")
        if self._sink.keep:
            self._sink.commands.append(text)
        _COMMANDS.get(verb.upper(), Session._unknown)(self, argument)

    def _noop(self, _: str) -> None:
        self._say("250 2.0.0 nothing done")

    def _unknown(self, _: str) -> None:
        self._say("500 5.5.1 unknown command")

    def _ehlo(self, _: str) -> None:
        offers = ["sink.example", *self._sink.offers]
        if self._sink.tls and not self._secured:
            offers.append("STARTTLS")
        if self._sink.logins and (self._secured or not self._sink.tls):
            offers.append("AUTH PLAIN LOGIN XOAUTH2")
        lines = [f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"]
        self._meet("ehlo", lambda: self._say("\r\n".join(lines)))

    def _rset(self, _: str) -> None:
        self._forget()
        self._meet("rset", lambda: self._say("250 2.0.0 forgotten"))

    def _quit(self, _: str) -> None:
        def part() -> None:
            self._say("221 2.0.0 goodbye")
            self._flush()
            if self._transport:
                self._transport.close()

        self._meet("quit", part)

    def _mail(self, argument: str) -> None:
        def take() -> None:
            self._sender = _path(argument)
            self._say("250 2.1.0 sender taken")

        if not self._known:
            self._say("530 5.7.0 log in first")
        elif self._sender is not None:
            self._say("503 5.5.1 a transaction is open")
        else:
            self._meet("mail", take)

    def _rcpt(self, argument: str) -> None:
        address = _path(argument)

        def take() -> None:
            self._recipients.append(address)
            self._say("250 2.1.5 recipient taken")

        if self._sender is None:
            self._say("503 5.5.1 MAIL first")
        else:
            self._meet("rcpt", take, address)

    def _data(self, _: str) -> None:
        def open_data() -> None:
            self._in_data = True
            self._say("354 go on, end with a dot")

        if not self._recipients:
            self._say("503 5.5.1 no valid recipients")
        else:
            self._meet("data", open_data)

    def _take_body(self) -> bool:
        if not self._met_body:
            self._met_body = True
            self._meet("body", _go_on)
            if self._held:
                return False
        data = self._inbox
        end = self._end_of_data(data)
        if end < 0:
            self._keep(data, len(data))
            self._tail = (self._tail + data[-4:])[-4:]
            self._inbox = b""
            return False
        self._keep(data, end)
        self._inbox = data[end:]
        self._in_data = False
        self._meet("dot", self._accept)
        return True

    def _end_of_data(self, data: bytes) -> int:
        """Where the data ends, though the end may have begun in what came before; -1 if it goes on."""
        straddling = (self._tail + data[:4]).find(_END)
        if straddling >= 0:
            return straddling + len(_END) - len(self._tail)
        # Looked for from behind, its absence is found out in half the time.
        last = data.rfind(_DOT_LINE)
        at = data.find(_END, 0, last + len(_DOT_LINE)) if last >= 0 else -1
        return at + len(_END) if at >= 0 else -1

    def _keep(self, data: bytes, end: int) -> None:
        """Keep what comes before `end`; of what is only counted no more than the header."""
        if self._sink.keep or self._octets < _HEADER:
            self._chunks.append(data[:end] if self._sink.keep else data[: min(end, _HEADER)])
        self._octets += end

    def _accept(self) -> None:
        content = b"".join(self._chunks)
        if self._sink.keep:
            content = content[:-3]
            if b"\r\n." in content or content.startswith(b"."):
                content = (b"\r\n" + content).replace(b"\r\n..", b"\r\n.")[2:]
        self._sink.take(self._sender or "", tuple(self._recipients), content, self._octets - 3)
        count = self._sink.count

        def confirm() -> None:
            self._forget()
            self._say(f"250 2.0.0 taken as {count}")

        self._meet("accepted", confirm)

    def _auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        if mechanism.upper() == "PLAIN":
            if initial:
                self._check_plain(initial)
            else:
                self._ask("", self._check_plain)
        elif mechanism.upper() == "LOGIN":
            if initial:
                self._ask_password(initial)
            else:
                self._ask("VXNlcm5hbWU6", self._ask_password)
        elif mechanism.upper() == "XOAUTH2":
            user, _, token = _decoded(initial).strip("\x01").removeprefix("user=").partition("\x01auth=Bearer ")
            if self._sink.logins.get(user) == token:
                self._judge(user, token)
            else:
                # The refusal comes as a challenge first, and the client answers it with an empty line.
                self._ask("eyJzdGF0dXMiOiI0MDAifQ==", lambda _: self._judge(user, token))
        else:
            self._say("504 5.5.4 PLAIN, LOGIN or XOAUTH2")

    def _ask(self, prompt: str, answer: Callable[[str], None]) -> None:
        self._answer = answer
        self._say(f"334 {prompt}")

    def _check_plain(self, response: str) -> None:
        _, _, rest = _decoded(response).partition("\0")
        user, _, password = rest.partition("\0")
        self._judge(user, password)

    def _ask_password(self, user: str) -> None:
        self._ask("UGFzc3dvcmQ6", lambda password: self._check(user, password))

    def _check(self, user: str, password: str) -> None:
        self._judge(_decoded(user), _decoded(password))

    def _judge(self, user: str, password: str) -> None:
        def judge() -> None:
            self._known = self._sink.logins.get(user) == password
            self._say("235 2.7.0 welcome" if self._known else "535 5.7.8 wrong name or password")

        self._meet("auth", judge)

    def _starttls(self, _: str) -> None:
        def upgrade() -> None:
            self._held = True
            self._inbox = b""
            self._say("220 2.0.0 go ahead")
            task = self._loop.create_task(self._upgrade())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        if not self._sink.tls or self._secured:
            self._say("502 5.5.1 no TLS here")
        else:
            self._meet("starttls", upgrade)

    async def _upgrade(self) -> None:
        transport, context = self._transport, self._sink.tls
        if not transport or not context:
            return
        try:
            self._transport = await self._loop.start_tls(transport, self, context, server_side=True)
        except OSError:  # a client that doesn't like the certificate hangs up
            transport.abort()
        if not self._transport or self._transport is transport or self._transport.is_closing():
            self._sink.leave(self)  # nobody tells a session whose handshake failed
            return
        self._secured = True
        self._held = False
        self._forget()
        self._advance()


_COMMANDS: Final[dict[str, Callable[[Session, str], None]]] = {
    "MAIL": Session._mail,  # noqa: SLF001 - the session's own
    "RCPT": Session._rcpt,  # noqa: SLF001
    "DATA": Session._data,  # noqa: SLF001
    "EHLO": Session._ehlo,  # noqa: SLF001
    "HELO": Session._ehlo,  # noqa: SLF001
    "RSET": Session._rset,  # noqa: SLF001
    "AUTH": Session._auth,  # noqa: SLF001
    "STARTTLS": Session._starttls,  # noqa: SLF001
    "QUIT": Session._quit,  # noqa: SLF001
    "NOOP": Session._noop,  # noqa: SLF001
}


def _path(argument: str) -> str:
    """The address in `FROM:<a@b> SIZE=…`."""
    return argument.partition("<")[2].rpartition(">")[0] or argument.partition(":")[2].strip(" <>")


def _decoded(text: str) -> str:
    try:
        return b64decode(text, validate=True).decode("utf-8", "replace")
    except (Base64Error, ValueError):
        return ""
