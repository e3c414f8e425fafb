"""A stage on each of the two databases."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stage import Stage


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    """An empty world: no people."""
    made = Stage(database_url)
    yield made
    made.close()
