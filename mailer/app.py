"""The composition root: reads the config and puts the concrete parts together. The only place where they meet."""

from functools import cached_property
from pathlib import Path

from mailer import config, tokens
from mailer.clock import Clock, SystemClock
from mailer.errors import OperatorError
from mailer.storage.database import Database
from mailer.storage.register import Register


class App:
    """One publication, composed from its config. Parts are made when first asked for."""

    def __init__(self, loaded: config.Loaded, clock: Clock | None = None) -> None:
        self.loaded = loaded
        self.config = loaded.config
        self.clock = clock or SystemClock()

    @classmethod
    def load(cls, path: Path | None = None) -> "App":
        """
        Compose the application for the config at `path` (see `config.load`).

        Raises:
            OperatorError: The config is missing or wrong.

        """
        return cls(config.load(path))

    @cached_property
    def database(self) -> Database:
        """The database, its tables up to date."""
        url = self.config.database.url
        prefix = "sqlite:///"
        if url.startswith(prefix) and url != f"{prefix}:memory:":
            url = prefix + str(self.loaded.resolve(url.removeprefix(prefix)))
        database = Database(url)
        database.upgrade()
        return database

    @cached_property
    def register(self) -> Register:
        """Who is subscribed to what."""
        return Register(self.database, self.clock)

    @cached_property
    def signer(self) -> tokens.Signer:
        """Signs links and envelope senders with the publication's secret, or with one kept beside the database."""
        variable = self.config.publication.secret_env
        if variable and self.loaded.environ.get(variable):
            return tokens.Signer(self.loaded.environ[variable].split())
        return tokens.Signer([self._kept_secret()])

    def _kept_secret(self) -> str:
        url = self.database.url
        if url.get_backend_name() != "sqlite" or not url.database:
            raise OperatorError(
                f"set the environment variable {self.config.publication.secret_env or 'MAILER_SECRET'} "
                f"(and name it in [publication] secret_env): without it links can't be signed"
            )
        path = Path(url.database).with_name("secret")
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(tokens.new_secret(), encoding="ascii")
        return path.read_text(encoding="ascii").strip()

    def close(self) -> None:
        """Give back what was opened."""
        if "database" in self.__dict__:
            self.database.close()
