"""One scheduler of several, and workers that a newer program has overtaken."""

import asyncio

import pytest
from sqlalchemy import text

from benchmarks.ground import Ground
from mailer.errors import OperatorError
from mailer.storage.database import Database
from mailer.storage.election import Election, is_anybody_elected
from mailer.storage.revision import TooOld, demand_known, known, make_ready
from mailer.storage.workers import Roster

pytestmark = pytest.mark.postgres


def test_exactly_one_is_elected_and_another_takes_over(ground: Ground):
    """Who holds the lock stays elected; when the server drops its session, as for a dead one, another is."""
    first, second = Election(ground.database), Election(ground.database)
    assert not is_anybody_elected(ground.database)
    assert (first.stand(), second.stand(), first.stand()) == (True, False, True)
    assert is_anybody_elected(ground.database)
    with ground.database.read() as connection:
        held = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        connection.execute(text(held)).all()
    while not second.stand():  # the server takes a moment
        pass
    assert not first.stand()
    second.resign()


def test_a_silent_scheduler_is_dropped_by_the_server(ground: Ground):
    """A stopped machine says nothing: the session that holds the lock ends by itself within its time."""
    election = Election(ground.database)
    assert election.stand()
    with ground.database.read() as connection:
        pid = connection.scalar(text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"))
    assert pid == election._session.info.backend_pid
    assert election._session.execute("SHOW idle_session_timeout").fetchone() == ("12s",)
    election.resign()


def overtake(database: Database, revision: str) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})


def test_tables_of_another_version_are_said_plainly(ground: Ground, sqlite_ground: Ground):
    """Older than the tables: it says so. Newer: on PostgreSQL a person upgrades, on SQLite the program does."""
    overtake(ground.database, "9999")
    with pytest.raises(TooOld, match="upgrade mailer on this machine"):
        demand_known(ground.database)
    overtake(ground.database, known()[0])
    with pytest.raises(OperatorError, match="mailer db upgrade"):
        make_ready(ground.database, ground.database.upgrade)
    upgraded = []
    overtake(sqlite_ground.database, known()[0])
    make_ready(sqlite_ground.database, lambda: upgraded.append(1))
    assert upgraded == [1]


async def test_a_running_worker_stops_when_it_is_overtaken(ground: Ground, tmp_path):
    """It lands what it has, says that the tables are newer, and ends; the roster no longer names it."""
    from benchmarks.machines import Publication, empty
    from mailer.cluster import queue
    from mailer.cluster.sender import Sender

    queue.install(ground.database)
    publication = Publication(empty(tmp_path / "it"), ground.url, 25)
    with publication.app() as app:
        sender = asyncio.create_task(Sender(app, asyncio.Event()).run())
        while not await asyncio.to_thread(Roster(app.database).entries):  # noqa: ASYNC110 - it is in the database
            await asyncio.sleep(0.1)
        await asyncio.to_thread(overtake, ground.database, "9999")
        with pytest.raises(TooOld):
            await sender
        assert Roster(app.database).entries() == []
