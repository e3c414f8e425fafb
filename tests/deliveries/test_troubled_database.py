"""A database that is full, locked or gone in mid-send: nothing is sent without its commit, and the rest goes after."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import create_engine, event, text
from stage import Stage, until
from wire import copies, over_smtp

from mailer.campaigns.campaign import Campaign
from mailer.deliveries.orders import Ending
from mailer.errors import OperatorError
from mailer.storage.database import Database
from mailer.testing import Fault, SmtpSink

PEOPLE = 400
TROUBLE = 0.8  # seconds
# Slow, so that there is a middle to strike; wordy, so that every outcome needs room.
SLOW_AND_WORDY = Fault("accepted", stall=0.01, reply=f"250 2.0.0 taken {'x' * 900}")


async def send_through(stage: Stage, campaign: Campaign, trouble: Callable[[], None], relief: Callable[[], None]):
    """Send to a slow server; after the first messages comes the trouble, then relief. Gives what stood in between."""
    async with SmtpSink(faults=[SLOW_AND_WORDY]) as sink:
        sending = asyncio.create_task(stage.sending(campaign, over_smtp(sink)))
        await until(lambda: sink.count >= 40)
        await asyncio.to_thread(trouble)
        await asyncio.sleep(0.2)  # what had its commit lands
        before = sink.count
        await asyncio.sleep(TROUBLE)
        during = sink.count
        await asyncio.to_thread(relief)
        with suppress(OperatorError):  # it may give up with a sentence; the next run goes on
            await sending
        result = await stage.sending(campaign, over_smtp(sink))
        return before, during, result, copies(sink)


def assert_once_each(stage: Stage, campaign: Campaign, result, counted) -> None:
    """Everybody has it once, or is listed as uncertain."""
    listed = {line.recipient.email for line in stage.ledger.doubtful(campaign.id)}
    assert (result.ending, result.account.reconciled) == (Ending.DONE, True)
    assert {address for address, count in counted.items() if count > 1} == set()
    assert set(stage.states(campaign)) - set(counted) <= listed
    assert result.account.sent + result.account.uncertain == PEOPLE


@contextmanager
def locked(stage: Stage) -> Iterator[None]:
    """Keep the ledger from being written, as another program may."""
    database = Database(str(stage.database.url.render_as_string(hide_password=False)))
    with database.write() as connection:  # SQLite's lock is one for everything
        if not database.is_sqlite:
            connection.exec_driver_sql("LOCK TABLE deliveries IN EXCLUSIVE MODE")
        yield
    database.close()


@contextmanager
def full(stage: Stage) -> Iterator[None]:
    """Let the database find no room: SQLite may not grow by a page, PostgreSQL says what it says then (53100)."""
    if stage.database.is_sqlite:
        limit = {"pages": 1}  # below the present size means the present size

        def apply(connection, *_: object) -> None:
            connection.execute(f"PRAGMA max_page_count={limit['pages']}")

        event.listen(stage.database.engine, "checkout", apply)
        yield
        limit["pages"] = 2**30
        return
    says = "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'"
    refuse = f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {says}; END$$"
    always = "CREATE TRIGGER no_room BEFORE UPDATE ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
    with stage.database.write() as connection:
        connection.exec_driver_sql(refuse)
        connection.exec_driver_sql(always)
    yield
    with stage.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER no_room ON deliveries")


@pytest.mark.parametrize("trouble", [locked, full])
async def test_a_database_that_takes_nothing_holds_the_sending_up(stage: Stage, trouble):
    """While another keeps the ledger locked, or there is no room, nothing is sent; afterwards the rest is."""
    stage.people(PEOPLE)
    campaign = stage.campaign()
    state = trouble(stage)
    told = await send_through(stage, campaign, state.__enter__, lambda: state.__exit__(None, None, None))
    before, during, result, counted = told
    assert before == during < PEOPLE
    assert_once_each(stage, campaign, result, counted)


@contextmanager
def closed(server: str, name: str) -> Iterator[None]:
    """Keep everybody out of a PostgreSQL database, and throw out who is in it, as a stopped server does."""
    engine = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    over = threading.Event()

    def throw_out() -> None:
        with engine.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"))
            while not over.is_set():
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
                )
                time.sleep(0.05)
            connection.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true"))

    thread = threading.Thread(target=throw_out)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        engine.dispose()


async def test_a_database_that_stops_and_starts(stage: Stage, request: pytest.FixtureRequest):
    """PostgreSQL goes away in mid-send and comes back: nothing was sent meanwhile, and nobody is lost or repeated."""
    if stage.database.is_sqlite:
        pytest.skip("there is no server to stop")
    stage.people(PEOPLE)
    campaign = stage.campaign()
    away = closed(request.getfixturevalue("postgres_url"), str(stage.database.url.database))
    told = await send_through(stage, campaign, away.__enter__, lambda: away.__exit__(None, None, None))
    before, during, result, counted = told
    assert before == during < PEOPLE
    assert_once_each(stage, campaign, result, counted)


@pytest.mark.parametrize("way", ["swift_write", "write", "read"])
def test_a_session_that_the_server_ended_is_said_plainly(database: Database, way: str):
    """PostgreSQL ends a session that fell silent in a change: that is trouble to wait out, and the next one works."""
    if database.is_sqlite:
        pytest.skip("there is no server to end it")
    with pytest.raises(OperatorError, match="the database can't be used: terminating connection"):
        fall_silent(database, way)
    fall_silent(database, way, seconds=0)


def fall_silent(database: Database, way: str, seconds: float = 0.3) -> None:
    with getattr(database, way)() as open_one:
        ask = (lambda query: open_one.rows(query, ())) if way == "swift_write" else open_one.exec_driver_sql
        ask("SELECT set_config('idle_in_transaction_session_timeout', '50ms', true)")
        time.sleep(seconds)
        ask("SELECT 1")
