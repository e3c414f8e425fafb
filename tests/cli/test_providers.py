"""`mailer providers`, run as a person runs it."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mailer.cli.commands import run

ROOT = Path(__file__).parents[2]


class Api(BaseHTTPRequestHandler):
    """Takes what Mailgun would take, with the right key."""

    protocol_version = "HTTP/1.1"
    posted: list[bytes]

    def do_GET(self) -> None:
        self._say(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != "Basic YXBpOnJpZ2h0":
            return self._say(401, {"message": "Forbidden"})
        self.posted.append(body)
        return self._say(200, {"id": "<1@quito.example>", "message": "Queued. Thank you."})

    def _say(self, status: int, body: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def mailgun() -> Iterator[tuple[str, list[bytes]]]:
    posted: list[bytes] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Kept", (Api,), {"posted": posted}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", posted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def mailer(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILER_CONFIG", raising=False)

    def call(url, *arguments, status=0):
        shutil.copy(ROOT / "config.toml", tmp_path)
        with (tmp_path / "config.toml").open("a", encoding="utf-8") as file:
            file.write(
                f'\n[transports.api]\nkind = "mailgun"\ndomain = "quito.example"\nkey_env = "KEY"\nurl = "{url}"\n'
            )
        assert run(list(arguments)) == status
        captured = capfd.readouterr()
        return captured.err if status else captured.out

    return call


def test_a_letter_goes_to_whoever_asks(mailer, monkeypatch):
    """`check` sends a real letter by the way that is named, and tells the answer."""
    monkeypatch.setenv("KEY", "right")
    with mailgun() as (url, posted):
        said = json.loads(mailer(url, "providers", "check", "api", "--to", "ana@quito.example", "--json"))
    assert said["transport"] == "api"
    (outcome,) = said["messages"]
    assert outcome["is_sent"]
    assert "Queued" in outcome["reply"]
    assert b"Subject: [Brief Internacional] test of api" in posted[0]


def test_a_wrong_key_is_one_sentence(mailer, monkeypatch):
    """A refusal names the table to look at, and nothing was sent."""
    monkeypatch.setenv("KEY", "wrong")
    with mailgun() as (url, posted):
        said = mailer(url, "providers", "check", "api", "--to", "ana@quito.example", status=1)
    assert "401" in said
    assert "[transports.api]" in said
    assert posted == []


def test_a_missing_key_names_its_variable(mailer, monkeypatch):
    """Nothing is connected without the secret."""
    monkeypatch.delenv("KEY", raising=False)
    with mailgun() as (url, _):
        assert "KEY" in mailer(url, "providers", "check", "api", status=1)


def test_an_unknown_way_is_named(mailer):
    """A name that the config doesn't have is an error with those it has."""
    assert "outbox" in mailer("http://127.0.0.1:9", "providers", "check", "pigeon", status=1)
