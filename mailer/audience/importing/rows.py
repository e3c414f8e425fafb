"""From a row of cells to the people it names, or to the reason why not."""

from collections.abc import Callable, Sequence
from typing import Final

from mailer.address import address_key, domain_of
from mailer.audience.importing.addresses import addresses_in
from mailer.audience.importing.cells import LONGEST, clean, country_code, language_code
from mailer.audience.importing.headings import EMAIL, SURNAME, Columns
from mailer.audience.register import Arrival
from mailer.audience.subscriber import FIELDS

_PLAIN_FIELDS: Final = tuple(field for field in FIELDS if field not in {"country", "language"})

RowReader = Callable[[int, Sequence[str]], tuple[list[Arrival], list[str], list[str]]]
"""A line and its cells → the arrivals, what is wrong with the row, and what was set right on the way."""


def row_reader(columns: Columns, headings: Sequence[str]) -> RowReader:
    """A reader for the rows of one list. It never raises: what is wrong comes back as sentences."""
    email_columns = columns.of[EMAIL]
    width = len(headings)
    at = {field: columns.first(field) for field in (*FIELDS, SURNAME)}
    plain = tuple(at[field] for field in _PLAIN_FIELDS)
    surname, country, language = at[SURNAME], at["country"], at["language"]
    email_column = email_columns[0]

    def read(line: int, cells: Sequence[str]) -> tuple[list[Arrival], list[str], list[str]]:
        present = len(cells)
        cell = cells[email_column] if email_column < present else ""
        if len(email_columns) > 1:
            cell = ";".join(cells[column] for column in email_columns if column < present)
        emails, problems = addresses_in(cell)
        if problem := _misfit(cells, width):
            return [], [problem], []
        if not emails:
            return [], problems or ["the row has no address"], []
        values = ["" if column is None or column >= present else clean(cells[column]) for column in plain]
        if surname is not None and surname < present:
            values[0] = f"{values[0]} {clean(cells[surname])}".strip()
        notes: list[str] = []
        values.append(country_code(clean(cells[country])) if country is not None and country < present else "")
        values.append(_language(cells[language], notes) if language is not None and language < present else "")
        arrivals = [Arrival(line, email, address_key(email), domain_of(email), *values) for email in emails]
        return arrivals, problems, notes

    return read


def _misfit(cells: Sequence[str], width: int) -> str | None:
    if len(cells) > width and width > 1 and any(cell.strip() for cell in cells[width:]):
        return f"the row has {len(cells)} cells and the heading {width}; is a separator inside an unquoted cell?"
    if max(map(len, cells), default=0) > LONGEST:
        return f"a cell holds more than {LONGEST} characters; is a quotation mark left open?"
    return None


def _language(cell: str, notes: list[str]) -> str:
    text = clean(cell)
    if not text:
        return ""
    code = language_code(text)
    if code is None:
        notes.append(f"the language {text[:40]!r} is not known and was left out")
    return code or ""
