"""A publication of its own for each story."""

from pathlib import Path

import pytest

from tests.publication import Publication


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    """The sample publication in a folder of the test's own."""
    return Publication.sample(tmp_path)
