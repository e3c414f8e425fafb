"""The service takes in what comes back by mail, from a real mailbox, and lets old raw mail go."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mailer import config
from mailer.app import App
from mailer.testing.clock import FrozenClock
from mailer.worker import Worker
from tests.providers.test_imap import AUTHORITY, Mailbox

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "tests/feedback/samples"
NOW = datetime(2022, 12, 1, 14, tzinfo=UTC)


@contextmanager
def office(folder: Path, port: int, *, password: str = "a password") -> Iterator[App]:
    """A publication whose bounces lie in the mailbox at that port."""
    AUTHORITY.cert_pem.write_to_path(folder / "ca.pem")
    shutil.copy(ROOT / "config.toml", folder)
    with (folder / "config.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[feedback.mailbox]\nhost = "127.0.0.1"\nport = {port}\nusername = "rebotes"\n')
        file.write(f'password_env = "BOUNCES"\nca_file = "{folder / "ca.pem"}"\n')
    app = App(config.load(folder / "config.toml", {"BOUNCES": password}), FrozenClock(NOW))
    app.database  # noqa: B018 - migrations first, as `run` does
    yield app
    app.close()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mailbox with two bounces that name no delivery of ours."""
    server = Mailbox([(SAMPLES / f"{name}.eml").read_bytes() for name in ("postfix-unknown-user", "domino")])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


async def test_service_collects_the_mailbox(tmp_path: Path, mailbox: Mailbox) -> None:
    """Soon after the start every mail is recorded and marked as read, once."""
    with office(tmp_path, mailbox.server_address[1]) as app:
        worker = Worker(app)
        running = asyncio.create_task(worker.run())
        async with asyncio.timeout(200):
            while len(mailbox.seen) < 2:  # noqa: ASYNC110 - the server lives in a thread
                await asyncio.sleep(0.05)
        worker.stop()
        await running
        assert app.mailroom.book.counts() == {"unattributed": 2}
        worker = Worker(app)
        worker.collect()
        assert app.mailroom.book.counts() == {"unattributed": 2}


def test_stop_lets_the_mailbox_go(tmp_path: Path, mailbox: Mailbox) -> None:
    """Told to stop, it reads no further; what it was at is recorded, unread, and counts once when it comes again."""
    with office(tmp_path, mailbox.server_address[1]) as app:
        worker = Worker(app)
        worker.stop()
        worker.collect()
        assert (app.mailroom.book.counts(), mailbox.seen) == ({"unattributed": 1}, set())
        Worker(app).collect()
        assert (app.mailroom.book.counts(), mailbox.seen) == ({"unattributed": 2}, {1, 2})


def test_trouble_with_the_mailbox_is_logged(tmp_path: Path, mailbox: Mailbox) -> None:
    """A mailbox that refuses us ends nothing: the log says why."""
    with office(tmp_path, mailbox.server_address[1], password="wrong") as app, capture_logs() as logs:
        Worker(app).collect()
    assert [entry["action"] for entry in logs] == ["collect-failed"]
    assert "feedback.mailbox" in logs[0]["why"]


def test_old_evidence_is_dropped(tmp_path: Path) -> None:
    """Raw mail older than `[feedback] evidence` goes, the event stays."""
    with office(tmp_path, 1) as app:
        app.mailroom.take_in((SAMPLES / "domino.eml").read_bytes())
        Worker(app).drop_evidence()
        assert app.mailroom.book.entry(1)[1]
        app.clock.advance(days=366)
        with capture_logs() as logs:
            Worker(app).drop_evidence()
        assert app.mailroom.book.entry(1)[1] == b""
        assert [(entry["action"], entry["number"]) for entry in logs] == [("evidence-dropped", 1)]
