"""
Very many rows at a time: past SQLAlchemy, at the driver's speed, in a transaction that is open.

SQLite takes some dozens of rows by a statement, PostgreSQL a COPY. Values are the driver's own, names our tables'.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from itertools import chain, islice
from typing import Any, Final

from sqlalchemy import Connection, Table

_ROWS_TOGETHER: Final = 50
_UNIQUE_VIOLATION: Final = "23505"  # PostgreSQL's SQLSTATE


class Bulk:
    """Adds, changes and reads rows by the thousand."""

    def __init__(self, connection: Connection, *, is_sqlite: bool) -> None:
        self._connection = connection
        self._is_sqlite = is_sqlite

    def insert(
        self,
        table: Table,
        columns: Sequence[str],
        rows: Iterable[tuple[object, ...]],
        alike: Mapping[str, object] | None = None,
    ) -> None:
        """
        Add many rows at the driver's speed, past SQLAlchemy's types (an instant as `stored_instant` gives it).

        `alike` are the columns that have the same value in every row: numbers or words of our own.
        """
        if self._is_sqlite:
            _insert_sqlite(self._connection, f"INSERT INTO {table.name}", columns, rows, alike or {})
        else:
            _copy(self._connection, table.name, columns, rows, alike or {})

    def insert_new(
        self,
        table: Table,
        columns: Sequence[str],
        rows: Iterable[tuple[object, ...]],
        alike: Mapping[str, object],
    ) -> int:
        """
        Add those rows whose unique keys are free; how many were added.

        Where one isn't, PostgreSQL adds none. SQLite adds the others: a savepoint would copy every page of the index.
        """
        if self._is_sqlite:
            return _insert_sqlite(self._connection, f"INSERT OR IGNORE INTO {table.name}", columns, rows, alike)
        try:
            with self._connection.begin_nested():
                return _copy(self._connection, table.name, columns, rows, alike)
        except Exception as problem:
            if getattr(problem, "sqlstate", "") == _UNIQUE_VIOLATION:  # psycopg's own: COPY goes past SQLAlchemy
                return 0
            raise

    def update(
        self,
        table: Table,
        columns: Sequence[str],
        key: str,
        rows: Iterable[tuple[object, ...]],
        *,
        alike: Mapping[str, object],
    ) -> None:
        """Change many rows at the driver's speed; a row's values are followed by its key."""
        same = [f"{column} = {_literal(value)}" for column, value in alike.items()]
        driver: Any = self._connection.connection.cursor()
        with closing(driver):
            if self._is_sqlite:
                sets = ", ".join([*(f"{column} = ?" for column in columns), *same])
                driver.executemany(f"UPDATE {table.name} SET {sets} WHERE {key} = ?", rows)  # noqa: S608 - our own names
                return
            names = ", ".join((*columns, key))
            driver.execute(f"CREATE TEMP TABLE told ON COMMIT DROP AS SELECT {names} FROM {table.name} LIMIT 0")  # noqa: S608 - as above
            _copy(self._connection, "told", (*columns, key), rows, {})
            sets = ", ".join([*(f"{column} = told.{column}" for column in columns), *same])
            driver.execute(f"UPDATE {table.name} SET {sets} FROM told WHERE {table.name}.{key} = told.{key}")  # noqa: S608 - as above
            driver.execute("DROP TABLE told")

    def rows(self, statement: str, values: Sequence[object]) -> list[Any]:
        """What a statement, written with `?`, gives: plain tuples, at the driver's speed."""
        driver: Any = self._connection.connection.cursor()
        with closing(driver):
            driver.execute(statement if self._is_sqlite else statement.replace("?", "%s"), values)
            return list(driver.fetchall())


def _insert_sqlite(
    connection: Connection,
    into: str,
    columns: Sequence[str],
    rows: Iterable[tuple[object, ...]],
    alike: Mapping[str, object],
) -> int:
    """Add rows, many by a statement, in which stands what is alike in all of them. How many went in."""
    values = ", ".join(["?"] * len(columns) + [_literal(value) for value in alike.values()])
    statement = f"{into} ({', '.join((*columns, *alike))}) VALUES "
    rest, added = iter(rows), 0
    driver: Any = connection.connection.cursor()
    with closing(driver):
        while some := list(islice(rest, _ROWS_TOGETHER)):
            driver.execute(statement + ", ".join([f"({values})"] * len(some)), list(chain.from_iterable(some)))
            added += driver.rowcount
    return added


def _copy(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    rows: Iterable[tuple[object, ...]],
    alike: Mapping[str, object],
) -> int:
    """Add rows by PostgreSQL's COPY; how many there were."""
    tail = tuple(alike.values())
    driver: Any = connection.connection.cursor()
    with driver:
        with driver.copy(f"COPY {table} ({', '.join((*columns, *alike))}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row + tail)
        return int(driver.rowcount)


def _literal(value: object) -> str:
    """
    A value as it stands in a statement.

    >>> _literal(7), _literal("L'Alfàs")
    ('7', "'L''Alfàs'")
    """
    if isinstance(value, int):
        return str(value)
    quoted = str(value).replace("'", "''")
    return f"'{quoted}'"
