"""The audit keeps what was done, in order."""

from datetime import UTC, datetime
from pathlib import Path

from mailer.storage import audit
from mailer.storage.database import Database
from tests.databases import empty_books

NOON = datetime(2022, 11, 30, 12, tzinfo=UTC)


def test_what_was_done_to_a_subject_is_told_in_order(tmp_path: Path):
    """Two lines about one subject come back in order, and no line about another."""
    database = Database(empty_books(tmp_path / "mailer.db"))
    with database.write() as connection:
        for action, subject in (("import", "import:1"), ("unsubscribe", "subscriber:7"), ("erase", "subscriber:7")):
            audit.record(connection, at=NOON, who="Redacción", action=action, subject=subject)
    with database.read() as connection:
        told = list(audit.entries_about(connection, "subscriber:7"))
    database.close()
    assert [(entry.at, entry.who, entry.action) for entry in told] == [
        (NOON, "Redacción", "unsubscribe"),
        (NOON, "Redacción", "erase"),
    ]
