"""What the database's own trouble is called."""

import pytest

from mailer.errors import OperatorError
from mailer.storage.database import Database


def test_a_server_that_is_away_is_one_sentence():
    """The driver's words, which go over several lines, and where to look further."""
    database = Database("postgresql://nobody@127.0.0.1:9/nothing")
    for use in (database.read, database.write, database.swift_write):
        with pytest.raises(OperatorError) as refused, use():
            pass
        assert len(str(refused.value).splitlines()) == 1
        assert str(refused.value).startswith("the database can't be used: ")
        assert str(refused.value).endswith("; see `mailer doctor`")
    database.close()
