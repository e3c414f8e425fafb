"""
Takes a whole database over into another, from SQLite to PostgreSQL or back; verified by counts and hashes, resumable.

Every table is copied in the order of its key, page by page, each page in one transaction. So what an interrupted copy
left is the beginning of each table, and the next goes on behind it. The source is only read.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Column, String, Table, func, literal, select, text, tuple_

from mailer.errors import Refused
from mailer.storage.campaign_tables import runs
from mailer.storage.cluster_tables import workers
from mailer.storage.database import Database
from mailer.storage.revision import known, revision_of
from mailer.storage.tables import all_tables

_PAGE: Final = 2_000
_NOT_COPIED: Final = {workers.name}  # who is at work now is true of one database alone


class Copied(msgspec.Struct, frozen=True):
    """One table as it stands in both databases: how many rows, and the hash of them all."""

    table: str
    rows: int
    sha256: str


def move(source: Database, target: Database, *, told: Callable[[int], None] = lambda _: None) -> list[Copied]:
    """
    Copy everything, then read both again and compare; `told` hears of every page how many rows it had.

    Raises:
        Refused: Something is being sent, the tables are of another version, the target holds other data, or the two
            don't agree in the end.

    """
    _demand_rest(source)
    _demand_current(source, "source")
    _demand_current(target, "target")
    for table in _tables():
        _demand_same_beginning(source, target, table)
    for table in _tables():
        _copy(source, target, table, told)
    return [_verify(source, target, table) for table in _tables()]


def _tables() -> list[Table]:
    return [table for table in all_tables() if table.name not in _NOT_COPIED]


def _demand_current(database: Database, name: str) -> None:
    if (found := revision_of(database)) != known()[-1]:
        raise Refused(
            f"the {name}'s tables are {found or 'not there'}, this program's are {known()[-1]}; "
            f"run `mailer db upgrade` on it first"
        )


def _demand_rest(source: Database) -> None:
    """Refuse while somebody sends from the source: what they write after their page was read would be missing."""
    with source.read() as connection:
        alive = (runs.c.ended_at.is_(None), runs.c.lease_until > source.now(connection))
        if connection.scalar(select(func.count()).select_from(runs).where(*alive)):
            raise Refused(
                "a campaign is being sent from there; pause it, stop `mailer run` and its workers, and copy then"
            )


def _demand_same_beginning(source: Database, target: Database, table: Table) -> None:
    """What the target holds must be what an earlier copy of this source wrote."""
    ours = _rows(source, table)
    if any(theirs != next(ours, None) for theirs in _rows(target, table)):
        raise Refused(
            f"the target's table {table.name} holds other data than the source; copy into an empty database "
            f"(or into one that an interrupted copy of this source left)"
        )


def _copy(source: Database, target: Database, table: Table, told: Callable[[int], None]) -> None:
    names = [column.name for column in table.columns]
    for page in _pages(source, table, after=_last_key(target, table)):
        rows = [tuple(_stored(target, value) for value in row) for row in page]
        with target.write(bulk=True) as connection:
            target.bulk(connection).insert(table, names, rows)
        told(len(page))
    _count_on(target, table)


def _stored(database: Database, value: object) -> object:
    return database.stored_instant(value) if isinstance(value, datetime) else value


def _count_on(target: Database, table: Table) -> None:
    """Let PostgreSQL number new rows behind those that were copied; SQLite does so by itself."""
    key = table.autoincrement_column
    if target.is_sqlite or key is None or (table.foreign_keys and len(table.primary_key) > 1):
        return
    with target.write() as connection:
        named = {"table": table.name, "key": key.name}
        sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :key)"), named)
        if sequence and (last := connection.scalar(select(func.max(key)))):
            set_ = text("SELECT setval(CAST(:sequence AS regclass), :last)")
            connection.execute(set_, {"sequence": sequence, "last": last})


def _verify(source: Database, target: Database, table: Table) -> Copied:
    before, after = _fingerprint(source, table), _fingerprint(target, table)
    if before != after:
        raise Refused(
            f"table {table.name} has {before.rows} rows ({before.sha256[:12]}) in the source and {after.rows} "
            f"({after.sha256[:12]}) in the target; somebody wrote to one of them meanwhile. Copy into an empty database"
        )
    return after


def _fingerprint(database: Database, table: Table) -> Copied:
    digest, number = hashlib.sha256(), 0
    for page in _pages(database, table):
        number += len(page)
        for row in page:
            digest.update(msgspec.msgpack.encode(row))
    return Copied(str(table.name), number, digest.hexdigest())  # SQLAlchemy's own kind of text is no JSON


def _count(database: Database, table: Table) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def _rows(database: Database, table: Table) -> Iterator[tuple[Any, ...]]:
    for page in _pages(database, table):
        yield from page


def _pages(
    database: Database, table: Table, *, after: tuple[Any, ...] | None = None
) -> Iterator[Sequence[tuple[Any, ...]]]:
    """All rows in the order of the key, the same in both databases; those behind `after`, if it is given."""
    key = [_in_octets(database, column) for column in table.primary_key.columns]
    places = [list(table.columns).index(column) for column in table.primary_key.columns]
    query = select(table).order_by(*key).limit(_PAGE)
    while True:
        page_query = query if after is None else query.where(tuple_(*key) > tuple_(*map(literal, after)))
        with database.read() as connection:
            page = [tuple(row) for row in connection.execute(page_query)]
        if page:
            yield page
        if len(page) < _PAGE:
            return
        after = tuple(page[-1][place] for place in places)


def _last_key(database: Database, table: Table) -> tuple[Any, ...] | None:
    key = [_in_octets(database, column) for column in table.primary_key.columns]
    query = select(*table.primary_key.columns).order_by(*(column.desc() for column in key)).limit(1)
    with database.read() as connection:
        row = connection.execute(query).first()
    return None if row is None else tuple(row)


def _in_octets(database: Database, column: "Column[Any]") -> Any:
    """A column as it is sorted by its octets: so SQLite does, and PostgreSQL if it is told to."""
    return column.collate("C") if isinstance(column.type, String) and not database.is_sqlite else column
