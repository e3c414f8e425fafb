"""Servers that answer by the letter of RFC 5321 and as nobody expects: the states and the wire stay right."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import pytest
from stage import Stage

from mailer.campaigns import advance
from mailer.deliveries.orders import Ending, Orders
from mailer.deliveries.transport import Transport
from mailer.providers import registry

THIRD = "gads3@quito.example"
ONE_BY_ONE = Orders(connections=1, first_wait=0.01, longest_wait=0.05, heartbeat=0.05, drain=5.0)


class OddServer:
    """
    Answers in an odd `manner`, and gives the third recipient the reply that is scripted for a verb.

    octets: each octet of a reply in a packet of its own. lines: every reply in three lines. packed: the answers to an
    envelope in one packet with that to DATA, and that to the dot with those to the envelope behind it. forgetful:
    what stands behind a command is lost, though PIPELINING is offered.
    """

    def __init__(self, manner: str, verb: str = "", reply: bytes = b"") -> None:
        self.taken: Counter[str] = Counter()
        self.connections = 0
        self._manner = manner
        self._fault = (verb, reply) if verb else None
        self._held = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        self._held = b""
        with suppress(asyncio.IncompleteReadError):
            await self._converse(reader, writer)
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._say(writer, b"220 odd.example")
        recipient, is_taken = "", False
        while (line := await self._command(reader)) and not line.startswith(b"QUIT"):
            verb = line[:4].decode().strip()
            if verb == "RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
            reply = self._scripted(verb, recipient) or self._usual(verb)
            is_taken = reply.startswith(b"250") if verb == "RCPT" else is_taken
            await self._say(writer, reply, holds=verb in {"MAIL", "RCPT"} and not reply.startswith(b"421"))
            if reply.startswith(b"421"):
                break
            if reply.startswith(b"354"):
                await reader.readuntil(b"\r\n.\r\n" if is_taken else b".\r\n")
                usual = b"250 2.0.0 taken" if is_taken else b"554 5.5.1 for nobody"  # RFC 2920 3.1
                reply = self._scripted("dot", recipient) or usual
                self.taken[recipient] += reply.startswith(b"250")
                await self._say(writer, reply, holds=True)
                if farewell := self._scripted("after", recipient):
                    await self._say(writer, farewell)
                    break
                if self._manner == "packed":
                    await self._let_go_if_nothing_follows(writer)

    async def _command(self, reader: asyncio.StreamReader) -> bytes:
        if self._manner == "forgetful":
            return (await reader.read(65536)).partition(b"\n")[0]
        return await reader.readline()

    def _scripted(self, verb: str, recipient: str) -> bytes:
        if self._fault and recipient in {THIRD, ""} and self._fault[0] == verb:
            reply, self._fault = self._fault[1], None
            return reply
        return b""

    def _usual(self, verb: str) -> bytes:
        if verb == "EHLO":
            return b"250-odd.example\r\n250-PIPELINING\r\n250 8BITMIME"
        return b"354 go on" if verb == "DATA" else b"250 ok"

    async def _say(self, writer: asyncio.StreamWriter, reply: bytes, *, holds: bool = False) -> None:
        if self._manner == "lines" and b"\r\n" not in reply:
            code, words = reply[:3], reply[4:]
            reply = b"%s-%s\r\n%s-\r\n%s %s" % (code, words, code, code, words)
        self._held += reply + b"\r\n"
        if holds and self._manner == "packed":
            return
        octets, self._held = self._held, b""
        for piece in [octets[at : at + 1] for at in range(len(octets))] if self._manner == "octets" else [octets]:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    async def _let_go_if_nothing_follows(self, writer: asyncio.StreamWriter) -> None:
        """Behind the last message comes no envelope, and its sender waits."""
        await asyncio.sleep(0.02)
        if self._held:
            writer.write(self._held)
            self._held = b""


class Case(NamedTuple):
    """What the server does, how the third of five ends, and over how many connections they all went."""

    verb: str
    reply: bytes
    third: str = "sent"
    connections: int = 1


CASES = [
    Case("", b""),
    Case("RCPT", b"550 5.1.1 no such mailbox", "refused"),
    Case("DATA", b"451 4.3.0 not now", "pending"),  # behind an envelope that was taken
    Case("dot", b"452 4.3.1 no room", "pending"),
    Case("dot", b"554 5.6.0 not this one", "refused"),
    Case("RCPT", b"421 4.3.2 closing", connections=2),
    Case("after", b"421 4.3.2 closing", connections=2),  # unasked, between two messages
]


@asynccontextmanager
async def served(odd: OddServer, **timeouts: float) -> AsyncIterator[Transport]:
    """The server at work, and the way to it."""
    server = await asyncio.start_server(odd.serve, "127.0.0.1", 0)
    async with server:
        table = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "security": "none"}
        yield registry.make("smtp", table | {"timeouts": timeouts}, name="smtp", secrets=lambda _key, _variable: "")


@pytest.mark.parametrize("manner", ["octets", "lines", "packed"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.verb}{case.reply[:3].decode()}" or "no fault")
async def test_oddly_answered_everybody_ends_right(stage: Stage, manner: str, case: Case):
    """However the replies are cut and heaped, each goes to the command that it answers."""
    stage.people(5)
    campaign = stage.campaign()
    odd = OddServer(manner, case.verb, case.reply)
    async with served(odd) as way:
        result = await stage.sending(campaign, way, orders=ONE_BY_ONE)
    states = stage.states(campaign)
    assert states == dict.fromkeys(states, "sent") | {THIRD: case.third}
    assert +odd.taken == Counter(address for address, state in states.items() if state == "sent")
    assert odd.connections == case.connections
    assert result.account.reconciled
    assert result.ending is (Ending.RETRIES_LEFT if case.third == "pending" else Ending.DONE)


async def test_a_server_that_loses_what_comes_at_once_is_told_one_thing_at_a_time(stage: Stage):
    """It costs one wait and one connection; then everybody is sent one."""
    stage.people(5)
    campaign = stage.campaign()
    odd = OddServer("forgetful")
    async with served(odd, rcpt=0.2) as way:
        result = await stage.sending(campaign, way, orders=ONE_BY_ONE)
    assert (result.ending, result.account.sent) == (Ending.DONE, 5)
    assert (+odd.taken, odd.connections) == (Counter(dict.fromkeys(stage.states(campaign), 1)), 2)


async def test_words_in_whatever_octets_are_kept_as_text(stage: Stage):
    """Latin-1, NUL and escapes in a refusal of us: the campaign can be paused with them, and nobody is marked."""
    stage.people(5)
    campaign = stage.campaign()
    async with served(OddServer("", "EHLO", b"550 5.7.1 usted no, se\xf1or\x00 \x1b[31m")) as way:
        result = await stage.sending(campaign, way, orders=ONE_BY_ONE)
    paused = advance.pause(stage.agenda, campaign, reason=result.reason, who="test", now=stage.clock.now())
    assert stage.agenda.get(campaign.id).reason == paused.reason
    assert (result.ending, result.account.pending) == (Ending.DOWN, 5)
    assert result.reason.isprintable()
    assert "5.7.1 usted no" in result.reason
