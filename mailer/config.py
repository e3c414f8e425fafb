"""
The config: one TOML file, read once, checked whole, handed down as values by `app`.

A secret never stands in it: a key that ends in `_env` names the environment variable that holds it.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import inspect

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
        OperatorError: It is missing, no TOML, or holds an unknown key or a wrong type; the sentence names it.

    """
    environ = os.environ if environ is None else environ
    path = (path or Path(environ.get("MAILER_CONFIG") or "config.toml")).absolute()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise OperatorError(
            f"the config {path} can't be read ({problem.strerror}); name another with --config or MAILER_CONFIG"
        ) from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise OperatorError(f"{path.name} is no valid TOML: {problem}") from None
    return Loaded(config=_convert(table, path.name), path=path, environ=environ)


_ANY = "..."
"""In a path, any key of a table whose keys are free."""

_PLAIN = {
    "`int`": "a whole number",
    "`str`": "a text in quotation marks",
    "`bool`": "true or false",
    "`object`": "a table of keys",
    "`array`": "a list in brackets",
    " >= 1": " of 1 or more",
    " of length of 1 or more": " that is not empty",
    "Invalid RFC3339 encoded date": "that is no date; write it as 2026-05-24, without quotation marks",
}
"""What msgspec says, and what it means to somebody who writes the file."""


def _convert(table: dict[str, Any], file: str) -> Config:
    try:
        return msgspec.convert(table, Config)
    except msgspec.ValidationError as problem:
        raise OperatorError(f"{file}: {explain(problem)}") from None


def explain(problem: msgspec.ValidationError, section: str = "", shape: Any = Config) -> str:
    """
    What msgspec found wrong with a table of that shape, as a sentence that names the section and the key.

    >>> explain(msgspec.ValidationError("Object contains unknown field `speed` - at `$.delivery`"))
    '[delivery] has an unknown key "speed"; take it out or mend its spelling'
    >>> explain(msgspec.ValidationError("Invalid enum value 'of' - at `$.check.rules[...].level`"))
    '[check.rules] level: "of" is none of the values it may have; write "off" or "warning"'
    """
    text, _, where = str(problem).partition(" - at `$")
    path = re.findall(r"[^.\[\]]+|\.{3}", where.strip("`"))
    parts = [part for part in (section, *path) if part and part != _ANY]
    if unknown := re.fullmatch(r"Object contains unknown field `(.+)`", text):
        return f'{_section(parts)} has an unknown key "{unknown[1]}"; take it out or mend its spelling'
    if missing := re.fullmatch(r"Object missing required field `(.+)`", text):
        return f'{_section(parts)} lacks the key "{missing[1]}"; add it'
    if not parts:
        return text
    if other := re.fullmatch(r"Invalid enum value '?(.*?)'?", text):
        choices = " or ".join(_choices(shape, path))
        return f'{_section(parts[:-1])} {parts[-1]}: "{other[1]}" is none of the values it may have; write {choices}'
    for word, plain in _PLAIN.items():
        text = text.replace(word, plain)
    return f"{_section(parts[:-1])} {parts[-1]}: {text[0].lower()}{text[1:]}"


def _choices(shape: Any, path: list[str]) -> Iterator[str]:
    """What may stand at the end of a path of keys, as it is written there."""
    found = [inspect.type_info(shape)]
    for part in path:
        found = [below for each in found for below in _below(each, part)]
    for each in found:
        if isinstance(each, inspect.LiteralType):
            yield from (f'"{value}"' for value in each.values)
        elif isinstance(each, inspect.IntType):
            yield _PLAIN["`int`"]


def _below(shape: inspect.Type, part: str) -> Iterator[inspect.Type]:
    if isinstance(shape, inspect.StructType):
        inner = [field.type for field in shape.fields if field.encode_name == part]
    elif isinstance(shape, inspect.DictType):
        inner = [shape.value_type]
    else:
        inner = [shape.item_type] if isinstance(shape, inspect.VarTupleType) else []
    for each in inner:
        yield from each.types if isinstance(each, inspect.UnionType) else (each,)


def _section(parts: list[str]) -> str:
    return f"[{'.'.join(parts)}]" if parts else "the top of the file"
