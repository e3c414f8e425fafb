"""The log tells what happened, where in the code, and of nobody."""

import pytest
from sqlalchemy.exc import IntegrityError

from mailer.log import get_logger, speak
from mailer.storage.audit import record
from mailer.storage.database import Database
from mailer.testing import FrozenClock

ADDRESS = "ana@uno.example"


def fail(address: str) -> None:
    """Raise with an address at hand."""
    raise ValueError(f"an address of {len(address)} letters")


def test_a_failure_is_told_without_the_values_on_its_way(capsys: pytest.CaptureFixture[str]):
    """The traceback names the lines and the error, and holds no local variable and no colours in a pipe."""
    speak()
    try:
        fail(ADDRESS)
    except ValueError:
        get_logger().exception("it failed", action="test-failed")
    said = capsys.readouterr().err
    assert "action=test-failed" in said
    assert "ValueError: an address of 15 letters" in said
    assert "in fail" in said
    assert ADDRESS not in said
    assert "\x1b" not in said


def test_a_statement_that_fails_hides_what_it_was_given(database: Database):
    """An error of the database names the statement; the values, which may name somebody, are left out."""
    with pytest.raises(IntegrityError) as failed, database.write() as connection:
        record(connection, at=FrozenClock().now(), who=ADDRESS, action=None, subject="subscriber:1")
    assert "INSERT INTO audit" in str(failed.value)
    assert "parameters hidden" in str(failed.value)
