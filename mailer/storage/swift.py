"""
Statements that are run for every message: past SQLAlchemy, on the driver's own cursor, a batch of rows at a time.

What differs between the two databases is how a batch is written; `storage.database` opens the transactions.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Select, Text, cast, func, select
from sqlalchemy.engine import Dialect


class Question:
    """
    A query of SQLAlchemy's, compiled once for the driver; it gives its rows as one text of JSON, an array of arrays.

    SQLite's driver lets go of the interpreter's lock for each row that it fetches, and beside a busy thread it waits
    longer to get it back than the row took.
    """

    def __init__(self, query: Select[Any], dialect: Dialect) -> None:
        rows, is_sqlite = query.subquery(), dialect.name == "sqlite"
        whole: Any = func.json_group_array(func.json_array(*rows.c))
        if not is_sqlite:
            whole = func.coalesce(cast(func.json_agg(func.json_build_array(*rows.c)), Text), "[]")
        style: Any = type(dialect)
        compiled: Any = select(whole).compile(
            dialect=style(paramstyle="qmark" if is_sqlite else "format"), compile_kwargs={"render_postcompile": True}
        )
        self.text = str(compiled)
        self._marks: list[str] = list(compiled.positiontup)
        self._known: dict[str, object] = compiled.params

    def values(self, **given: object) -> list[object]:
        """What stands at its marks, in their order."""
        everything = {**self._known, **given}
        return [everything[mark] for mark in self._marks]


def as_instant(text: str) -> datetime:
    """An instant out of JSON; SQLite keeps it without its zone, which is UTC."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


class Batch:
    """
    Rows of values that a statement takes in one step, as a table in the place of `{batch}`.

    The columns are named in the order of a row's values, each with its type: integer, text or instant.
    """

    def __init__(self, **columns: str) -> None:
        types = {"integer": "bigint", "text": "text", "instant": "timestamptz"}
        self._row = f"({', '.join('?' * len(columns))})"
        self._named = ", ".join(f"column{number} AS {name}" for number, name in enumerate(columns, 1))
        kinds = enumerate(columns.items())
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

    def held(self, statement: str, values: Sequence[object], of: str = "") -> list[Any]:
        """As `rows`, which nobody changes until the transaction ends; of several tables, those of the one named."""
        locking = f" FOR UPDATE OF {of}" if of else " FOR UPDATE"
        return self.rows(statement if self._is_sqlite else statement + locking, values)

    def ask(self, question: Question, **given: object) -> str:
        """The rows that a question gives, in JSON."""
        self._cursor.execute(question.text, question.values(**given))
        return str(self._cursor.fetchone()[0])

    def _execute(self, statement: str, values: Sequence[object]) -> None:
        self._cursor.execute(statement if self._is_sqlite else statement.replace("?", "%s"), values)
