"""
The config: one TOML file, read once, checked whole, handed down as values by `app`.

A secret never stands in it: a key that ends in `_env` names the environment variable that holds it.
"""

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from mailer import config_faults
from mailer.errors import OperatorError


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename=lambda name: name.rstrip("_")):
    """A table of the file: unknown keys are errors."""


class Publication(_Table, frozen=True):
    """`[publication]`: who publishes, under which names and addresses."""

    name: str
    publisher: str
    organization: str
    language: str
    timezone: str
    from_: str
    reply_to: str
    postal_address: str
    public_url: str
    list_id: str
    bounce_domain: str = ""
    secret_env: str = ""


class Content(_Table, frozen=True):
    """
    `[content]`: where issues and templates lie, relative to the config, and what is made of them.

    `theme` is a file of tokens in place of the templates' own. Pictures are loaded from the web edition, or embedded in
    every message. An article that a translation lacks stands there in the original, or is left out. With `pdf` every
    edition leads to a PDF of itself, which chromium prints.
    """

    issues: str = "issues"
    templates: str = "templates"
    theme: str = ""
    images: Literal["hosted", "embedded"] = "hosted"
    missing_translation: Literal["original", "leave_out"] = "original"
    pdf: bool = False


class Database(_Table, frozen=True):
    """`[database]`: SQLite by default; a relative path in the URL is relative to the config."""

    url: str = "sqlite:///var/mailer.db"


class Schedule(_Table, frozen=True):
    """`[schedule]`: when the monthly send fires, and how late it still may."""

    monthly: str = "last business day 09:00"
    late_grace: str = "6h"


class SegmentConfig(_Table, frozen=True):
    """
    `[segments.<name>]`: its title per language, its list, and whether readers may join by themselves.

    A segment with a `rule` has no list and nobody joins it: it holds whom the rule says.
    """

    title: dict[str, str]
    source: str = ""
    open: bool = True
    rule: str = ""


class Staff(_Table, frozen=True):
    """`[staff]`: who gets the tests and the alerts, and by which of `[transports]` an alert goes first."""

    addresses: tuple[str, ...] = ()
    transport: str = ""


Count = Annotated[int, msgspec.Meta(ge=1)]


class DomainConfig(_Table, frozen=True):
    """`[delivery.domains."<domain>"]`: what the servers of one domain put up with."""

    connections: Count | None = None
    rate: str | tuple[str, ...] = ()


class Delivery(_Table, frozen=True):
    """`[delivery]`: which ways out, how fast and when, and what to do about uncertain deliveries."""

    transport: str | Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = "outbox"
    connections: Count = 4
    processes: Count | Literal["auto"] = 1
    rate: str | tuple[str, ...] = ()
    window: str = ""
    domains: dict[str, DomainConfig] = {}
    on_uncertain: Literal["hold", "resend"] = "hold"

    @property
    def transports(self) -> tuple[str, ...]:
        """The ways out by name, the preferred one first."""
        return (self.transport,) if isinstance(self.transport, str) else self.transport


class Feedback(_Table, frozen=True):
    """
    `[feedback]`: how many bounces are enough, how long evidence is kept, where what nobody can attribute lies.

    `tracking` says what is kept of clicks: nothing, figures that name nobody, or who it was of those who said yes.
    """

    hard_bounces: int = 1
    soft_bounces: int = 3
    soft_within: str = "180d"
    soft_pause: str = "90d"
    evidence: str = "365d"
    unattributed: str = "var/unattributed"
    mailbox: dict[str, Any] = {}
    collect_every: str = "10m"
    tracking: Literal["none", "aggregate", "individual"] = "aggregate"


class RuleConfig(_Table, frozen=True):
    """A rule of `mailer check` turned off, or its errors made warnings; the reason is shown in every report."""

    level: Literal["off", "warning"]
    reason: str


class SilenceConfig(_Table, frozen=True):
    """Days on which nothing may be sent, both ends included: an election's silence."""

    from_: date
    to: date
    reason: str


class Check(_Table, frozen=True):
    """`[check]`: what the preflight lets pass here, and when nothing may go out."""

    rules: dict[str, RuleConfig] = {}
    silences: tuple[SilenceConfig, ...] = ()


class DkimKey(_Table, frozen=True):
    """`[dkim]`, or several as `[[dkim]]`: a key in a file or in the environment; without `domain` From's signs."""

    selector: str
    domain: str = ""
    key_file: str = ""
    key_env: str = ""


class Retention(_Table, frozen=True):
    """`[retention]`: how long the register keeps those who left; `mailer register tidy` goes by it."""

    unsubscribed_days: int = 730


class Config(_Table, frozen=True):
    """The whole file, with the folder that its paths are relative to."""

    publication: Publication
    segments: dict[str, SegmentConfig]
    content: Content = Content()
    database: Database = Database()
    schedule: Schedule = Schedule()
    staff: Staff = Staff()
    delivery: Delivery = Delivery()
    feedback: Feedback = Feedback()
    check: Check = Check()
    retention: Retention = Retention()
    dkim: DkimKey | tuple[DkimKey, ...] = ()
    transports: dict[str, dict[str, Any]] = {}
    webhooks: dict[str, dict[str, Any]] = {}

    @property
    def signing(self) -> tuple[DkimKey, ...]:
        """The signing keys, one or several."""
        return (self.dkim,) if isinstance(self.dkim, DkimKey) else self.dkim


class Loaded(msgspec.Struct, frozen=True):
    """A config with where it stands and the environment it was read in."""

    config: Config
    path: Path
    environ: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """The folder that the config's paths are relative to."""
        return self.path.parent

    def resolve(self, path: str) -> Path:
        """A path of the config as an absolute one."""
        return (self.folder / path).resolve()

    def wrong(
        self, problem: msgspec.ValidationError, of: type, table: Mapping[str, Any], section: str
    ) -> OperatorError:
        """The error to raise for a table of the file that can't be read as `of`; secrets are not in `table`."""
        return OperatorError(f"{self.path.name}: {config_faults.explain(problem, of, table, section)}")

    def with_secrets(self, section: str, table: Mapping[str, Any]) -> dict[str, Any]:
        """
        A table with its secrets filled in: `key_env` becomes `key`, `key_file` the text of that file.

        Raises:
            OperatorError: A variable isn't set, or a file can't be read.

        """
        filled: dict[str, Any] = {}
        for key, value in table.items():
            if key.endswith("_env"):
                filled[key.removesuffix("_env")] = self.secret(section, key, str(value))
            elif key.endswith("_file"):
                filled[key.removesuffix("_file")] = self._text_of(section, key, str(value))
            else:
                filled[key] = value
        return filled

    def _text_of(self, section: str, key: str, path: str) -> str:
        try:
            return self.resolve(path).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as problem:
            raise OperatorError(f"{self.path.name}: [{section}] {key}: {path} can't be read ({problem})") from None

    def secret(self, section: str, key: str, variable: str) -> str:
        """
        The secret that the environment holds under `variable`.

        Raises:
            OperatorError: The variable isn't set.

        """
        value = self.environ.get(variable, "")
        if not value:
            raise OperatorError(
                f"{self.path.name}: [{section}] {key} names the environment variable {variable}, "
                f"which is not set; set it and run the command again"
            )
        return value

    def signing_pem(self, key: DkimKey) -> str:
        """
        The private key that a `[dkim]` table names.

        Raises:
            OperatorError: It names none or two, or what it names can't be read.

        """
        where = f"{self.path.name}: [dkim]"
        if bool(key.key_file) is bool(key.key_env):
            raise OperatorError(f"{where} needs either key_file or key_env; `mailer dkim keygen` makes a key")
        if key.key_env:
            return self.secret("dkim", "key_env", key.key_env)
        try:
            return self.resolve(key.key_file).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as problem:
            why = getattr(problem, "strerror", None) or "it is no PEM"
            raise OperatorError(
                f"{where} key_file {key.key_file} can't be read ({why}); `mailer dkim keygen` makes one"
            ) from None


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Loaded:
    """
    Read the config at `path`, at `$MAILER_CONFIG`, or at `config.toml` in the working directory.

    Raises:
        OperatorError: It is missing, no TOML, or holds an unknown key or a wrong value; the sentence names file, line,
            section and key, and says what may stand there.

    """
    environ = os.environ if environ is None else environ
    path = (path or Path(environ.get("MAILER_CONFIG") or "config.toml")).absolute()
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as problem:
        raise OperatorError(
            f"the config {path} can't be read ({problem.strerror}); name another with --config or MAILER_CONFIG"
        ) from None
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise OperatorError(f"{path.name}:{line}: the config is not UTF-8 from here on; save it as UTF-8") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise OperatorError(f"{path.name} is no valid TOML: {problem}; mend that line") from None
    return Loaded(config=_read(table, text, path.name), path=path, environ=environ)


def _read(table: dict[str, Any], text: str, file: str) -> Config:
    try:
        return msgspec.convert(table, Config)
    except msgspec.ValidationError as problem:
        line = config_faults.line_of(problem, Config, table, text)
        place = file if line is None else f"{file}:{line}"
        raise OperatorError(f"{place}: {config_faults.explain(problem, Config, table)}") from None
