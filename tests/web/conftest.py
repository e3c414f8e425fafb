"""A publication with two readers, its pages, and the letters that leave it."""

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from mailer.app import App
from mailer.storage.audit import audit
from mailer.storage.campaign_tables import campaigns
from mailer.storage.database import metadata
from mailer.storage.editions import Shelf
from mailer.storage.register.tables import memberships, subscribers
from mailer.testing import FrozenClock
from mailer.web.application import create
from mailer.web.desk import Desk
from mailer.web.postbox import Postbox
from tests.databases import empty_books
from tests.pictures import keep_pictures_of

ROOT = Path(__file__).parents[2]
START = datetime(2026, 11, 30, 14, tzinfo=UTC)
READERS = (("embajada@ambito.example", "Ana Pérez", "es"), ("network@cities.example", "Kim Doe", "en"))


def publish(folder: Path, *, public_url: str = "http://127.0.0.1:8000") -> Path:
    """Write the sample config into a folder of its own, and give its path."""
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    text = text.replace('templates = "templates"', f'templates = "{ROOT / "templates"}"')
    text = text.replace("pdf = true", "pdf = false")  # a browser takes its time to print: who looks at that asks for it
    keep_pictures_of(folder)
    empty_books(folder / "var" / "mailer.db")
    path = folder / "config.toml"
    path.write_text(text.replace("http://127.0.0.1:8000", public_url), encoding="utf-8")
    return path


def enrol(house: App, email: str, name: str, language: str) -> int:
    """Put a reader of two segments into the register."""
    now = house.clock.now()
    entry = {"email": email, "email_key": email, "domain": email.partition("@")[2], "name": name}
    with house.database.write() as connection:
        number = connection.execute(
            subscribers.insert().values(**entry, language=language, created_at=now, updated_at=now)
        ).inserted_primary_key[0]
        for segment in ("diplomats", "gads"):
            connection.execute(memberships.insert().values(subscriber_id=number, segment=segment, changed_at=now))
    return number


def send_sample(house: App, issue: str = "2022-11") -> None:
    """Let the sample issue have gone out: its editions on the shelf, its campaign finished."""
    issues = house.loaded.resolve(house.config.content.issues)
    if not issues.exists():
        issues.symlink_to(ROOT / "issues")
    compiled = house.compile(issue)[1]
    now = house.clock.now()
    Shelf(house.database).put(compiled, now=now)
    row = {"issue": issue, "content_hash": compiled.content_hash, "segments": "[]", "created_at": now}
    with house.database.write() as connection:
        connection.execute(campaigns.insert().values(**row, state="finished", frozen_at=now))


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands still until told."""
    return FrozenClock(START)


@pytest.fixture
def house(tmp_path: Path, clock: FrozenClock) -> Iterator[App]:
    """A publication whose register holds `READERS`, numbered from 1."""
    house = App.load(publish(tmp_path))
    house.clock = clock
    for reader in READERS:
        enrol(house, *reader)
    yield house
    house.close()
    shutil.rmtree(tmp_path / "var")


@pytest.fixture
def app(house: App):
    """The pages of the publication."""
    return create(house)


@pytest.fixture
def desk(app) -> Desk:
    """What the handlers have at hand."""
    return app.app.state.desk


@pytest.fixture
async def browser(app) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who looks at the pages."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://pages.example") as client:
        yield client


@pytest.fixture
def links(house: App):
    """The links of campaign 3 for a reader: `links("unsubscribe", 1)`."""

    def make(purpose: str, number: int = 1) -> str:
        return f"/{purpose[0]}/{house.signer.sign(purpose, f'3-{number}')}"

    return make


@pytest.fixture
def letters(desk: Desk, tmp_path: Path):
    """Post what is owed when awaited, and read every letter there ever was."""

    async def read() -> list[EmailMessage]:
        await Postbox(desk).post()
        files = sorted((tmp_path / "var" / "outbox").glob("*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    return read


async def status_of(app, method: str, target: str) -> int:
    """The bare answer to a request without a body, asked for straight at the application: thousands take seconds."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"pages.example")],
        "client": ("192.0.2.1", 1),
        "server": ("pages.example", 80),
    }
    started = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict) -> None:
        if message["type"] == "http.response.start":
            started.append(message["status"])

    await app(scope, receive, send)
    return started[0]


def link_in(letter: EmailMessage) -> str:
    """The path of the link that a letter holds."""
    text = letter.get_body(("plain",)).get_content()
    return re.search(r"https?://[^/]+(/\S+)", text)[1]


def books(house: App) -> dict[str, list[tuple]]:
    """Every row of every table."""
    with house.database.read() as connection:
        return {table.name: connection.execute(select(table)).all() for table in metadata.sorted_tables}


def actions(house: App) -> list[str]:
    """What the audit says was done."""
    with house.database.read() as connection:
        return list(connection.scalars(select(audit.c.action).order_by(audit.c.id)))
