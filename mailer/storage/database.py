"""
The database: one engine, its dialect's differences, and its migrations. Nothing else knows which one it is.

SQLite runs with WAL, synchronous=FULL (a commit is on the disk when it returns) and foreign keys; PostgreSQL through
psycopg 3 with synchronous_commit=on.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import (
    Connection,
    DateTime,
    Engine,
    MetaData,
    Select,
    Table,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InternalError, OperationalError

from mailer.errors import OperatorError
from mailer.storage.bulk import Bulk
from mailer.storage.postgres import ALERT, go_by_keys, prepare
from mailer.storage.swift import Question, Swift
from mailer.storage.turns import begin

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MILLISECONDS = 30_000
_BULK_KIBIBYTES = 64 * 1024
_CHECKPOINT_PAGES = 4000  # a delivery changes its page four times: the longer the log, the more of that is one write
_USUAL_KIBIBYTES = 2000  # SQLite's own
_UPGRADING = 0x6D61_6970_6772  # an advisory lock of PostgreSQL


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite keeps it as text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """Refuse a naive time; what is stored is UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a stored time must be aware")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """The instant that was stored, aware: SQLite keeps no zone, and all are UTC."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class Database:
    """Opens connections; `write` is for every transaction that changes something."""

    def __init__(self, url: str) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError:
            raise OperatorError(
                f"[database] url {url!r} is no database URL; write sqlite:///var/mailer.db or postgresql://host/name"
            ) from None
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database:
            self._make_room(Path(self.url.database).parent)
        self.engine = self._engine()
        self._swift = self.engine if self.is_sqlite else self._swift_engine()

    def _make_room(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise OperatorError(
                f"the database's folder {folder} can't be made ({problem.strerror}); make it for this user, "
                f"or name another in [database] url"
            ) from None

    def _swift_engine(self) -> Engine:
        """PostgreSQL's connections for `swift_write`; they are not asked before each use whether they live."""
        engine = create_engine(self.url, hide_parameters=True, connect_args=ALERT)
        event.listen(engine, "connect", prepare)
        event.listen(engine, "connect", go_by_keys)
        return engine

    def _engine(self) -> Engine:
        # What a statement was given may name somebody, and its error is logged.
        if not self.is_sqlite:
            # How many rows an INSERT added is asked for: SQLAlchemy says -1 unless it is told to keep the number.
            engine = create_engine(
                self.url,
                hide_parameters=True,
                pool_pre_ping=True,
                connect_args=ALERT,
                execution_options={"preserve_rowcount": True},
            )
            event.listen(engine, "connect", prepare)
            return engine
        engine = create_engine(self.url, hide_parameters=True, connect_args={"timeout": _BUSY_MILLISECONDS / 1000})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection with one consistent view, which changes nothing; it may take a person's time to read on."""
        with _said_plainly(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection

    @contextmanager
    def write(self, *, bulk: bool = False) -> Iterator[Connection]:
        """
        One transaction that takes SQLite's write lock at once (BEGIN IMMEDIATE), so that it can't fail half-way.

        `bulk` is for many rows whose references are known to be good: SQLite takes a larger cache and doesn't look each
        reference up again, nor does it cascade.

        Raises:
            OperatorError: The database is locked, full or gone.

        """
        with (
            _said_plainly(),
            self.engine.connect().execution_options(mailer_write=True) as connection,
            self._bulk_lane(connection) if bulk and self.is_sqlite else nullcontext(),
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def swift_write(self) -> Iterator[Swift]:
        """
        As `write`, past SQLAlchemy: for the few statements that are run for every message.

        Raises:
            OperatorError: The database is locked, full or gone.

        """
        driver = self.engine.dialect.loaded_dbapi
        trouble = driver.OperationalError, driver.InternalError
        try:
            with _said_plainly():
                pooled = self._swift.raw_connection()
        except trouble as problem:  # the driver's own error: a raw connection is opened past SQLAlchemy
            raise _unusable(problem) from problem
        try:
            if self.is_sqlite:
                begin(cast("Any", pooled.dbapi_connection), self.url.database, _BUSY_MILLISECONDS / 1000)
            yield Swift(pooled.cursor(), is_sqlite=self.is_sqlite)
            pooled.commit()
        except trouble as problem:
            if not self.is_sqlite:
                pooled.invalidate()
            raise _unusable(problem) from problem
        finally:
            pooled.close()  # back to the pool, which rolls back what was not committed

    @contextmanager
    def _bulk_lane(self, connection: Connection) -> Iterator[None]:
        driver: Any = connection.connection.dbapi_connection  # past SQLAlchemy, which would begin the transaction
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute(f"PRAGMA cache_size={-_BULK_KIBIBYTES}")
        try:
            yield
        finally:
            driver.execute("PRAGMA foreign_keys=ON")
            driver.execute(f"PRAGMA cache_size={-_USUAL_KIBIBYTES}")

    def upgrade(self) -> None:
        """Bring the tables up to what this code expects (Alembic)."""
        from alembic import command
        from alembic.config import Config as AlembicConfig

        config = AlembicConfig()
        config.set_main_option("script_location", str(MIGRATIONS))
        with (
            _said_plainly(),
            self.engine.connect().execution_options(mailer_write=True) as connection,
            connection.begin(),
        ):
            if not self.is_sqlite:  # machines that start together take turns
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADING})")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def now(self, connection: Connection) -> datetime:
        """The database's own time: what all workers agree on, whatever their clocks say."""
        if self.is_sqlite:
            text = connection.exec_driver_sql("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')").scalar_one()
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        instant: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        return instant.astimezone(UTC)

    def claimable(self, query: Select[Any], table: Table) -> Select[Any]:
        """The rows of `query` that nobody else is claiming: SQLite's writers take turns, PostgreSQL's skip rows."""
        return query if self.is_sqlite else query.with_for_update(skip_locked=True, of=table)

    def question(self, query: Select[Any]) -> Question:
        """A query for `Swift.ask`, compiled once."""
        return Question(query, self.engine.dialect)

    def for_update(self, query: Select[Any]) -> Select[Any]:
        """The rows of `query`, held until the transaction ends; SQLite's write transactions hold everything."""
        return query if self.is_sqlite else query.with_for_update()

    def insert(self, table: Any) -> Any:
        """An INSERT with `on_conflict_do_update` and `on_conflict_do_nothing`, which both dialects spell alike."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def stored_instant(self, at: datetime) -> object:
        """An instant as `bulk` hands it over: SQLite keeps text."""
        at = at.astimezone(UTC)
        return at.replace(tzinfo=None).isoformat(" ", "microseconds") if self.is_sqlite else at

    def bulk(self, connection: Connection) -> Bulk:
        """The way for very many rows into a transaction that is open."""
        return Bulk(connection, is_sqlite=self.is_sqlite)

    def swift(self, connection: Connection) -> Swift:
        """The driver's way into a transaction that is open."""
        return Swift(connection.connection.cursor(), is_sqlite=self.is_sqlite)

    def lock_table(self, connection: Connection, table: Table) -> None:
        """Keep others from changing a table until the transaction ends; SQLite's write lock does so anyway."""
        if not self.is_sqlite:
            connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")

    def take_stock(self, connection: Connection, *tables: Table) -> None:
        """Let PostgreSQL see how large tables are now: else it looks through all of one that grew for a few rows."""
        if not self.is_sqlite:
            connection.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in tables)}")

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()
        self._swift.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_MILLISECONDS}",
        f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("mailer_write", False):
        connection.exec_driver_sql("BEGIN")
        return
    driver: Any = connection.connection.dbapi_connection
    try:
        begin(driver, connection.engine.url.database, _BUSY_MILLISECONDS / 1000)
    except connection.dialect.loaded_dbapi.OperationalError as problem:  # the driver's own: past SQLAlchemy
        raise _unusable(problem) from problem


@contextmanager
def _said_plainly() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InternalError) as problem:  # the latter: a session ended in mid-change, a standby
        raise _unusable(problem.orig) from problem
    except DBAPIError as problem:
        if problem.connection_invalidated:
            raise _unusable(problem.orig) from problem
        raise


def _unusable(problem: BaseException | None) -> OperatorError:
    words = " ".join(str(problem).split())  # PostgreSQL's may be several lines
    return OperatorError(f"the database can't be used: {words}; see `mailer doctor`")
