"""The server itself: what slow and greedy clients get."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import uvicorn

from mailer.app import App
from mailer.storage.preferences import Preferences
from mailer.web.application import create
from mailer.web.guard import Guard
from mailer.web.serving import ImpatientProtocol, settings
from tests.web.conftest import enrol, publish


class HurriedProtocol(ImpatientProtocol):
    """The same protocol with less patience, so that tests end."""

    head_seconds = 0.5


@pytest.fixture
def served(tmp_path: Path) -> Iterator[App]:
    """A publication with one reader."""
    house = App.load(publish(tmp_path))
    enrol(house, "embajada@ambito.example", "Ana", "es")
    yield house
    house.close()


@pytest.fixture
def pages(served: App) -> Guard:
    """Its pages, the guard around them."""
    return create(served)


@pytest.fixture
def address(pages: Guard) -> Iterator[tuple[str, int]]:
    """Where a real server shows its pages."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = settings(pages, "127.0.0.1", 0)
    config.http = HurriedProtocol
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join(10)
    listener.close()


def is_hung_up_on(address: tuple[str, int], pieces: list[bytes], pause: float) -> bool:
    """Send pieces with pauses between them; whether the server hangs up before the last."""
    with socket.create_connection(address, timeout=8) as client:
        try:
            for piece in pieces:
                client.sendall(piece)
                client.settimeout(pause)
                try:
                    if client.recv(65536) == b"":
                        return True
                except TimeoutError:
                    continue
        except OSError:
            return True
    return False


def test_real_server_answers(address) -> None:
    """The health page answers over a real socket, without a banner."""
    answer = httpx.get(f"http://{address[0]}:{address[1]}/health")
    assert answer.text == "ok\n"
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("version", "framed"),
    [
        (b"1.0", b"Content-Length: 26\r\n\r\nList-Unsubscribe=One-Click"),
        (b"1.1", b"Content-Length: 26\r\n\r\nList-Unsubscribe=One-Click"),
        (b"1.1", b"Transfer-Encoding: chunked\r\n\r\n10\r\nList-Unsubscribe\r\nA\r\n=One-Click\r\n0\r\n\r\n"),
        (b"1.1", b"Expect: 100-continue\r\nContent-Length: 26\r\n\r\nList-Unsubscribe=One-Click"),
    ],
)
def test_one_click_over_a_bare_socket(address, served: App, version: bytes, framed: bytes) -> None:
    """A mail program's request, however it or an old proxy frames it, gets a bare 200: no cookie and no redirect."""
    token = served.signer.sign("unsubscribe", "1-1").encode()
    head = b"POST /u/%s HTTP/%s\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n" % (token, version)
    with socket.create_connection(address, timeout=8) as client:
        client.sendall(head + framed)
        answer = b""
        while not answer.endswith(b"OK\n"):
            answer += client.recv(65536)
    assert answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert b"location:" not in answer.lower()
    assert b"cookie" not in answer.lower()
    reader = Preferences(served.database, served.clock).find(1)
    assert reader is not None
    assert reader.is_gone


def test_only_a_trusted_proxy_is_believed(address) -> None:
    """What a proxy on this machine says of its client counts; from any other address the same words are air."""
    said = b"X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.9\r\n"
    told = {}
    for source in ("127.0.0.1", "127.0.0.2"):
        with socket.create_connection(address, timeout=8, source_address=(source, 0)) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + said + b"\r\n")
            told[source] = b"strict-transport-security" in b"".join(iter(lambda client=client: client.recv(4096), b""))
    assert told == {"127.0.0.1": True, "127.0.0.2": False}


def test_health_is_the_databases(address, served: App) -> None:
    """The health page says 503 while the database doesn't answer."""
    served.database.engine.dispose()
    path = Path(served.database.url.database or "")
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    assert httpx.get(f"http://{address[0]}:{address[1]}/health").status_code == 503
    path.rmdir()


def test_slow_head_is_hung_up_on(address) -> None:
    """A client that sends its header line by line (slowloris) is hung up on, however busy it keeps the line."""
    pieces = [b"GET /health HTTP/1.1\r\nHost: x\r\n", *(b"X-A: b\r\n" for _ in range(40))]
    assert is_hung_up_on(address, pieces, 0.1)


def test_silent_client_is_hung_up_on(address) -> None:
    """A client that connects and says nothing is hung up on."""
    with socket.create_connection(address, timeout=8) as client, suppress(ConnectionResetError):
        assert client.recv(1) == b""


def test_slow_second_request_is_hung_up_on(address) -> None:
    """Keeping the connection alive buys no patience for the next request."""
    first = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    assert is_hung_up_on(address, [first, b"GET /he", *(b"a" for _ in range(40))], 0.1)


def test_slow_body_is_hung_up_on(address, pages) -> None:
    """A form that trickles in is answered with 408 when its time is up."""
    pages.body_seconds = 0.5
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


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 200_000,
        b"POST /subscribe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 200_000,
        b"POST /subscribe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: " + b"a" * 200_000,
    ],
    ids=["header", "chunk extension", "trailer"],
)
def test_huge_heads_are_refused(address, sent: bytes) -> None:
    """What is no body is refused at hundreds of kilobytes, wherever in a request it stands."""
    answer = b""
    with socket.create_connection(address, timeout=8) as client, suppress(ConnectionError):
        client.sendall(sent)
        answer = client.recv(65536)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
