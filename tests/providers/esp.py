"""A provider's API on 127.0.0.1: it keeps what it is told and answers as a test says, or hangs up, or says nothing."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

from mailer.messages.message import Message
from mailer.providers import registry

DROP = "hang up with the whole request in hand"
STALL = "take the whole request and say nothing"
DROP_EARLY = "hang up in the middle of the request"
DRIP = "take the whole request and answer by drops"
# A server that is merely slow, because the machine is busy, must not look like one that says nothing.
PATIENT = {"connect": 100.0, "write": 100.0, "answer": 100.0, "look_up": [0.0]}
HASTY = PATIENT | {"answer": 0.6}
TOKEN = "k1-3-42.abcdefghijklmnopqrstuvwxyz"
KINDS = ("brevo", "graph", "mailgun", "mailjet", "postmark", "resend", "sendgrid", "ses")
TABLES = {
    "brevo": {"key_env": "KEY", "signs_itself": True},
    "graph": {"mailbox": "brief@quito.example", "token_env": "KEY"},
    "mailgun": {"domain": "quito.example", "key_env": "KEY"},
    "mailjet": {"key_env": "KEY", "secret_key_env": "SECRET", "signs_itself": True},
    "postmark": {"token_env": "KEY", "signs_itself": True},
    "resend": {"key_env": "KEY", "signs_itself": True},
    "sendgrid": {"key_env": "KEY", "signs_itself": True},
    "ses": {"region": "sa-east-1"},
}
# What each says when it takes a message.
TAKEN = {
    "brevo": (201, {}, {"messageId": "<1@brevo.example>"}),
    "graph": (202, {}, None),
    "mailgun": (200, {}, {"id": "<1@quito.example>", "message": "Queued. Thank you."}),
    "mailjet": (200, {}, {"Messages": [{"Status": "success", "To": [{"MessageUUID": "1", "MessageID": 2}]}]}),
    "postmark": (200, {}, {"ErrorCode": 0, "Message": "OK", "MessageID": "1"}),
    "resend": (200, {}, {"id": "1"}),
    "sendgrid": (202, {"X-Message-Id": "1"}, None),
    "ses": (200, {}, {"MessageId": "1"}),
}


# What each answers to the question for a message of ours, where it can be asked.
HERE = {
    "graph": {"value": [{"id": "7"}]},
    "mailgun": {"items": [{"event": "accepted"}]},
    "mailjet": {"Count": 1, "Data": [{"ID": 7, "UUID": "u"}]},
    "postmark": {"TotalCount": 1, "Messages": [{"MessageID": "7"}]},
}
NOT_HERE = {"graph": {"value": []}, "mailgun": {"items": []}, "mailjet": {"Data": []}, "postmark": {"Messages": []}}


class Request:
    """One request as it came."""

    def __init__(self, method, path, headers, body):
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def login(self):
        return base64.b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()


class Esp:
    """The server: `answers` are given in turn to what is posted, the last one again and again."""

    def __init__(self, *answers, probe=(200, {}, {})):
        self.answers = list(answers)
        self.probe = probe
        self.posted = []
        self.probed = []
        self.asked_for_tokens = []
        self.token = (200, {}, {"access_token": "fresh", "expires_in": 3600, "token_type": "Bearer"})
        self.connections = 0
        self.received = 0
        self._open = set()

    @asynccontextmanager
    async def running(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for writer in list(self._open):
                writer.close()
            await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        self._open.add(writer)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
        if path == "/token":
            form = await reader.readexactly(int(headers["content-length"]))
            self.asked_for_tokens.append(dict(parse_qsl(form.decode())))
            await self._say(writer, *self.token)
            return True
        if method != "POST":
            self.probed.append(Request(method, path, headers, b""))
            await self._say(writer, *(self.probe(self.probed[-1]) if callable(self.probe) else self.probe))
            return True
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == DROP_EARLY:
            await reader.read(10)
            writer.transport.abort()
            return False
        body = b""
        while len(body) < int(headers["content-length"]):
            piece = await reader.read(65536)
            if not piece:
                return False
            body += piece
            self.received = len(body)
        self.posted.append(Request(method, path, headers, body))
        answer = answer(self.posted[-1]) if callable(answer) else answer
        if answer == STALL:
            await asyncio.sleep(5)
        if answer == DRIP:
            await self._drip(writer)
        if answer in (DROP, STALL, DRIP):
            return False
        await self._say(writer, *answer)
        return True

    async def _drip(self, writer):
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n")
        for self.drops in range(50):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.1)

    async def _say(self, writer, status, headers, body):
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        lines = {"Content-Length": str(len(content)), "Content-Type": "application/json", **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content)
        await writer.drain()


class Journal:
    """Counts hand-offs, as the engine's ledger would record them."""

    def __init__(self):
        self.handed = 0

    async def __call__(self):
        self.handed += 1


def transport(kind, url, **table):
    table = {**TABLES[kind], "url": url, "timeouts": PATIENT} | table
    return registry.make(kind, table, name=kind, secrets=lambda key, variable: f"secret of {variable}")


async def send(kind, esp, message=None, journal=None, **table):
    waits = HASTY if {STALL, DRIP} & {each for each in esp.answers if isinstance(each, str)} else PATIENT
    channel = await transport(kind, esp.url, **{"timeouts": waits} | table).open()
    try:
        return await channel.transmit(message or a_message(), journal or Journal())
    finally:
        await channel.close()


def a_message(recipient="alcaldia@nabon.example", extra=b"", body=None):
    body = body or (
        b'Content-Type: multipart/alternative;\r\n boundary="=_x"\r\n\r\n'
        b'--=_x\r\nContent-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
        b"Se\xc3\xb1or Alcalde\r\n".replace(b"\xc3\xb1", b"=C3=B1")
        + b'--=_x\r\nContent-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
        b"<p>Se=C3=B1or Alcalde</p>\r\n--=_x--\r\n"
    )
    content = (
        b"DKIM-Signature: v=1; a=rsa-sha256; b=abc\r\n"
        b"From: Brief Internacional <brief@quito.example>\r\nReply-To: relaciones@quito.example\r\n"
        b"Subject: =?utf-8?q?A=C3=B1o?= nuevo\r\nDate: Wed, 30 Nov 2022 09:00:00 -0500\r\n"
        b"List-Id: Brief <brief.quito.example>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        b"Feedback-ID: 3:2022-11:gads:brief.quito.example\r\nMIME-Version: 1.0\r\nContent-Language: es\r\n"
        b"To: =?utf-8?q?Alcald=C3=ADa?= <alcaldia@nabon.example>\r\nMessage-ID: <"
        + TOKEN.encode()
        + b"@quito.example>\r\n"
        b"List-Unsubscribe: <https://quito.example/u/" + TOKEN.encode() + b">,\r\n <mailto:u+1@quito.example>\r\n"
    )
    return Message(
        message_id=f"<{TOKEN}@quito.example>",
        sender="b+1@rebotes.quito.example",
        recipient=recipient,
        content=content + extra + body,
    )
