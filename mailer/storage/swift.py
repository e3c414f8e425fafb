"""
Statements that are run for every message: past SQLAlchemy, on the driver's own cursor, a batch of rows at a time.

What differs between the two databases is how a batch is written; `storage.database` opens the transactions.
"""

from collections.abc import Sequence
from typing import Any

import msgspec


class Batch:
    """
    Rows of values that a statement takes in one step, as a table in the place of `{batch}`.

    The columns are named in the order of a row's values, each with its type: integer, text or instant.
    """

    def __init__(self, **columns: str) -> None:
        types = {"integer": "bigint", "text": "text", "instant": "timestamptz"}
        kinds = list(enumerate(columns.items()))
        self._row = f"({', '.join('?' * len(columns))})"
        self._named = ", ".join(f"column{number + 1} AS {name}" for number, (name, _) in kinds)
        self._cast = ", ".join(f"CAST(value ->> {number} AS {types[kind]}) AS {name}" for number, (name, kind) in kinds)

    def sqlite(self, rows: Sequence[tuple[object, ...]]) -> tuple[str, Sequence[object]]:
        """The table as SQLite reads it quickest, a mark for each value; a statement is prepared once for each size."""
        values = ", ".join([self._row] * len(rows))
        return f"(SELECT {self._named} FROM (VALUES {values}))", [value for row in rows for value in row]  # noqa: S608

    def postgres(self, rows: Sequence[tuple[object, ...]]) -> tuple[str, Sequence[object]]:
        """The table as PostgreSQL does: one value, of JSON, so that the statement is the same for all sizes."""
        table = f"(SELECT {self._cast} FROM json_array_elements(CAST(? AS json)))"  # noqa: S608
        return table, [msgspec.json.encode(rows).decode()]


class Swift:
    """A transaction on the driver's own cursor; statements are written with `?` and values come as the driver's."""

    def __init__(self, cursor: Any, *, is_sqlite: bool) -> None:
        self._cursor = cursor
        self._is_sqlite = is_sqlite

    def change(
        self,
        statement: str,
        batch: Batch,
        rows: Sequence[tuple[object, ...]],
        *,
        before: Sequence[object] = (),
        behind: Sequence[object] = (),
    ) -> int:
        """
        Run a statement that reads a batch; gives how many rows of the table were changed.

        `before` and `behind` are the values of the marks on either side of `{batch}`.
        """
        table, values = batch.sqlite(rows) if self._is_sqlite else batch.postgres(rows)
        self._execute(statement.replace("{batch}", table), (*before, *values, *behind))
        return int(self._cursor.rowcount)

    def rows(self, statement: str, values: Sequence[object]) -> list[Any]:
        """What a statement gives."""
        self._execute(statement, values)
        return list(self._cursor.fetchall())

    def held(self, statement: str, values: Sequence[object], table: str) -> list[Any]:
        """As `rows`; those of the table are held until the transaction ends. SQLite's write lock holds everything."""
        return self.rows(statement if self._is_sqlite else f"{statement} FOR UPDATE OF {table}", values)

    def _execute(self, statement: str, values: Sequence[object]) -> None:
        self._cursor.execute(statement if self._is_sqlite else statement.replace("?", "%s"), values)
