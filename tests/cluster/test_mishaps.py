"""A database that goes away in mid-send, and a worker on a host of its own (a network namespace) that is cut off."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import create_engine

from benchmarks.ground import Ground
from benchmarks.machines import Publication, empty
from mailer.campaigns.campaign import State
from mailer.storage.workers import Roster

PEOPLE = 1_900
HERE, THERE = "10.213.77.1", "10.213.77.2"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


@contextmanager
def a_host(name: str) -> Iterator[str]:
    """A network namespace with a link to us; gives our end of the link. Skipped where the machine doesn't allow it."""
    if not shutil.which("ip") or os.geteuid():
        pytest.skip("a network namespace needs root and iproute2")
    link = f"{name}-0"
    try:
        ip("netns", "add", name)
        ip("link", "add", link, "type", "veth", "peer", "name", f"{name}-1", "netns", name)
        ip("addr", "add", f"{HERE}/24", "dev", link)
        ip("link", "set", link, "up")
        ip("-n", name, "addr", "add", f"{THERE}/24", "dev", f"{name}-1")
        ip("-n", name, "link", "set", f"{name}-1", "up")
        ip("-n", name, "link", "set", "lo", "up")
    except subprocess.CalledProcessError as problem:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        pytest.skip(f"this machine allows no network namespaces: {problem.stderr.decode().strip()}")
    try:
        yield link
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", link], check=False, capture_output=True)


class Door:
    """A port at our end of the link that leads to a server of this host, by a thread and a loop of its own."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._ways: list[asyncio.StreamWriter] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        opened = asyncio.start_server(self._welcome, HERE, 0)
        self._server = asyncio.run_coroutine_threadsafe(opened, self._loop).result(10)
        return self._server.sockets[0].getsockname()[1]

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(self._socket)
        self._ways += [writer, inner_writer]
        await asyncio.gather(self._pour(reader, inner_writer), self._pour(inner_reader, writer))

    async def _pour(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while octets := await reader.read(65536):
                writer.write(octets)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def _stop(self) -> None:
        self._server.close()
        for way in self._ways:
            way.transport.abort()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)  # what was aborted is closed at the loop's next turns


def until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def start(publication: Publication, config: str, *words: str, host: str = "") -> subprocess.Popen[bytes]:
    """A long-running command, here or on the other host, whose log is kept."""
    command = [*(["ip", "netns", "exec", host] if host else []), sys.executable, "-m", "mailer", "--config", config]
    with (publication.folder / f"log-{host or 'here'}").open("ab") as log:
        return subprocess.Popen([*command, *words], cwd=publication.folder, env=publication.environ, stderr=log)


def received(folder: Path) -> Counter[str]:
    """How often each message was taken, by Message-ID."""
    header = re.compile(r"^Message-ID:\s*(\S+)", re.MULTILINE)
    return Counter(header.search(file.read_text(encoding="ascii"))[1] for file in folder.rglob("*.eml"))


def agree(publication: Publication) -> None:
    """What was received and what the ledger says: nobody lost, no copy unlisted, nothing open."""
    lines, copies = publication.listed(), received(publication.folder)
    listed = {line["message_id"] for line in lines if line["uncertain_at"]}
    assert {line["message_id"] for line in lines} <= copies.keys() | listed
    assert {message for message, count in copies.items() if count > 1} <= listed
    assert {line["state"] for line in lines} <= {"sent", "uncertain"}


def furnish(folder: Path, url: str) -> Publication:
    """A publication that sends into a folder."""
    publication = Publication(empty(folder), url, 25, delivery='rate = "100/s"')
    file = publication.folder / "config.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace('transport = "smtp"', 'transport = "outbox"'), encoding="utf-8"
    )
    return publication


@contextmanager
def running(*processes: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Stop them at the end, gently if they can."""
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.mark.postgres
@pytest.mark.timeout(300)
def test_workers_wait_for_a_database_that_restarts(empty_postgres: str, postgres_url: str, tmp_path: Path):
    """All are thrown out and kept out for a while, then go on by themselves; the worker has its config and no file."""
    ground = Ground(empty_postgres)
    ground.people(500)
    publication = furnish(tmp_path / "it", empty_postgres)
    scheduler = start(publication, "config.toml", "run", "--schedule-only")
    bare = empty(publication.folder / "elsewhere") / "config.toml"
    bare.write_text((publication.folder / "config.toml").read_text(encoding="utf-8"), encoding="utf-8")
    worker = start(publication, str(bare), "worker")
    with running(scheduler, worker):
        until(lambda: len(Roster(ground.database).entries()) == 1, 60)
        campaign = publication.begin()
        until(lambda: publication.state(campaign)[1].sent > 100, 60)
        ground.close()
        keep_out(postgres_url, urlsplit(empty_postgres).path.lstrip("/"), 5.0)
        until(lambda: publication.state(campaign)[0] is State.FINISHED, 120)
        assert (scheduler.poll(), worker.poll()) == (None, None)
    agree(publication)


def keep_out(server: str, name: str, seconds: float) -> None:
    """Throw everybody out of a database and let nobody in, as a restart does."""
    engine = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        time.sleep(seconds)
        connection.exec_driver_sql(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
    engine.dispose()


@pytest.mark.postgres
@pytest.mark.timeout(300)
def test_a_cut_off_worker_is_taken_over_and_sends_nothing_twice(empty_postgres: str, tmp_path: Path):
    """Its slices go to the other; when the link is back it finds that it was taken for dead, and nothing is lost."""
    parts = urlsplit(empty_postgres)
    socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
    host = f"cut{os.getpid() % 10000}"
    ground = Ground(empty_postgres)
    ground.people(PEOPLE)
    publication = furnish(tmp_path / "it", empty_postgres)
    near = (publication.folder / "config.toml").read_text(encoding="utf-8")
    with a_host(host) as link, Door(socket) as port:
        far = near.replace(empty_postgres, f"postgresql://postgres@{HERE}:{port}{parts.path}")
        (publication.folder / "far.toml").write_text(far, encoding="utf-8")
        with running(
            start(publication, "config.toml", "run", "--schedule-only"),
            start(publication, "config.toml", "worker"),
            start(publication, "far.toml", "worker", host=host),
        ):
            roster = Roster(ground.database)
            until(lambda: len(roster.entries()) == 2, 60)
            campaign = publication.begin()
            until(lambda: sum(entry.sent > 20 for entry in roster.entries()) == 2, 60)
            ip("link", "set", link, "down")
            until(lambda: publication.state(campaign)[0] is State.FINISHED, 120)
            ip("link", "set", link, "up")
            log = publication.folder / f"log-{host}"
            until(lambda: re.search("took the delivery over|taken for dead", log.read_text(encoding="utf-8")), 90)
        ground.close()
    agree(publication)
