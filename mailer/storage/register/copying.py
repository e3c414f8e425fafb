"""A copy of the register in another database, to try things out on."""

from typing import Final

from sqlalchemy import insert, select

from mailer.storage.database import Database
from mailer.storage.register.tables import (
    imports,
    institutions,
    memberships,
    segment_rules,
    subscribers,
    suppressions,
    tags,
)

_TABLES: Final = (imports, subscribers, memberships, suppressions, institutions, tags, segment_rules)
_CHUNK: Final = 5_000


def copy_register(source: Database, target: Database) -> None:
    """Copy who is subscribed to what and who must not be written to into a database whose tables are empty."""
    with source.read() as reading, target.write(bulk=True) as writing:
        for table in _TABLES:
            rows = reading.execution_options(yield_per=_CHUNK).execute(select(table)).mappings()
            for chunk in rows.partitions():
                writing.execute(insert(table), [dict(row) for row in chunk])
