"""The register read for a check or a preview: those who would be written to, as recipients, streamed."""

from collections.abc import Iterator, Mapping, Sequence

from mailer.audience.recipient import Recipient
from mailer.audience.rules import Rule
from mailer.storage.database import Database
from mailer.storage.register.choosing import NO_RULES, recipients_of

_ROWS: int = 2000


def recipients(
    database: Database, segments: Sequence[str], language: str, rules: Mapping[str, Rule] = NO_RULES
) -> Iterator[Recipient]:
    """Everybody who would get an issue sent now to `segments`, once, in the order they came into the register."""
    with database.read() as connection:
        rows = connection.execution_options(yield_per=_ROWS).execute(recipients_of(segments, language, rules=rules))
        for row in rows:
            yield Recipient(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to a row's columns
