"""The server itself: what slow and greedy clients get."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import uvicorn

from mailer.app import App
from mailer.web.application import create
from mailer.web.serving import ImpatientProtocol, settings
from tests.web.conftest import enrol, publish


class HurriedProtocol(ImpatientProtocol):
    """The same protocol with less patience, so that tests end."""

    head_seconds = 0.5


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Where a real server listens."""
    house = App.load(publish(tmp_path))
    enrol(house, "embajada@ambito.example", "Ana", "es")
    listener = socket.create_server(("127.0.0.1", 0))
    config = settings(create(house), "127.0.0.1", 0)
    config.http = HurriedProtocol
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join(10)
    listener.close()
    house.close()


def hang_up_after(address: tuple[str, int], pieces: list[bytes], pause: float) -> float:
    """Send pieces with pauses between them; the seconds until the server hangs up."""
    begun = time.monotonic()
    with socket.create_connection(address, timeout=8) as client:
        try:
            for piece in pieces:
                client.sendall(piece)
                client.settimeout(pause)
                try:
                    if client.recv(65536) == b"":
                        return time.monotonic() - begun
                except TimeoutError:
                    continue
        except OSError:
            return time.monotonic() - begun
    return float("inf")


def test_real_server_answers(address) -> None:
    """The health page answers over a real socket, without a banner."""
    answer = httpx.get(f"http://{address[0]}:{address[1]}/health")
    assert answer.text == "ok\n"
    assert "server" not in answer.headers


def test_slow_head_is_hung_up_on(address) -> None:
    """A client that sends its header line by line (slowloris) is hung up on, however busy it keeps the line."""
    pieces = [b"GET /health HTTP/1.1\r\nHost: x\r\n", *(b"X-A: b\r\n" for _ in range(40))]
    assert hang_up_after(address, pieces, 0.1) < 3


def test_silent_client_is_hung_up_on(address) -> None:
    """A client that connects and says nothing is hung up on."""
    with socket.create_connection(address, timeout=8) as client:
        begun = time.monotonic()
        with suppress(ConnectionResetError):
            assert client.recv(1) == b""
        assert time.monotonic() - begun < 3


def test_slow_second_request_is_hung_up_on(address) -> None:
    """Keeping the connection alive buys no patience for the next request."""
    first = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    assert hang_up_after(address, [first, b"GET /he", *(b"a" for _ in range(40))], 0.1) < 3


def test_slow_body_is_hung_up_on(address, monkeypatch) -> None:
    """A form that trickles in is answered with 408 when its time is up."""
    monkeypatch.setattr("mailer.web.guard.BODY_SECONDS", 0.5)
    head = b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    with socket.create_connection(address, timeout=8) as client:
        client.sendall(head + b"Content-Length: 1000\r\n\r\na=")
        assert client.recv(65536).startswith(b"HTTP/1.1 408")


def test_hundred_megabytes_are_refused(address) -> None:
    """100 MB are refused when announced, and cut off early when not."""
    url = f"http://{address[0]}:{address[1]}/subscribe"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1600):
            sent += 65536
            yield b"a" * 65536

    for headers in (kind, kind | {"Content-Length": str(1600 * 65536)}):
        sent = 0
        with suppress(httpx.NetworkError):  # hung up on in the middle
            assert httpx.post(url, content=chunks(), headers=headers, timeout=10).status_code in (400, 413)
        assert sent < 50 * 2**20


def test_huge_head_is_refused(address) -> None:
    """A header of megabytes is refused."""
    with socket.create_connection(address, timeout=8) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 200_000)
        try:
            answer = client.recv(65536)
        except ConnectionResetError:
            answer = b""
        assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
