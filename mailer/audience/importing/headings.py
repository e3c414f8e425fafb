"""What the columns of a list are called, in Spanish and English, accents and case aside."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import msgspec

from mailer.audience.folding import fold
from mailer.audience.importing.wording import OWN_HEADINGS
from mailer.audience.subscriber import FIELDS
from mailer.errors import AuthorError, Refused

EMAIL: Final = "email"
SURNAME: Final = "surname"
"""Joined to the name; no field of its own."""
TAGS: Final = "tags"
"""Put on the people; no field either."""

_WORDS: Final[dict[str, str]] = {
    EMAIL: "correo|correos|correo electronico|correos electronicos|correo e|correo institucional|correo oficial"
    "|correo de contacto|correo contacto|direccion de correo|direccion de correo electronico|direccion electronica"
    "|email|e mail|emails|e mails|mail|email address|e mail address|email institucional|mail institucional"
    "|work email|correo 1|correo 2|correo 3|email 1|email 2|email 3|correo electronico 1|correo electronico 2"
    "|correo electronico institucional|correo principal|primary email|e mail institucional",
    "name": "nombre|nombres|nombre completo|nombre y apellido|nombres y apellidos|apellidos y nombres"
    "|nombre del contacto|nombre de contacto|contacto|persona de contacto|destinatario|titular"
    "|name|full name|contact|contact name"
    "|contact person|first name|given name|nombre y apellidos|nombre del titular|representante legal",
    SURNAME: "apellido|apellidos|last name|surname|family name",
    "honorific": "tratamiento|titulo|titulo de cortesia|trato|honorific|title|salutation|prefix|courtesy title|saludo",
    "position": "cargo|puesto|funcion|posicion|dignidad|cargo que ocupa|position|job title|post|role|office held",
    "institution": "institucion|entidad|organizacion|organismo|organismo internacional|gad"
    "|municipio|nombre de la institucion|nombre institucion|embajada|mision|mision diplomatica|empresa|universidad"
    "|institution|organization|organisation"
    "|company|entity|embassy|agency|institucion u organismo|entidad institucion|nombre de la entidad",
    "country": "pais|pais de origen|pais acreditante|nacionalidad|country|nation|pais de residencia",
    "language": "idioma|lengua|idioma preferido|idioma de preferencia|language|lang|preferred language|lenguaje",
    TAGS: "etiqueta|etiquetas|tag|tags|label|labels",
}
_FIELD_OF: Final = {word: field for field, words in _WORDS.items() for word in words.split("|")}
_LONGEST: Final = 80
_ALIKE: Final = 0.82


class Columns(msgspec.Struct, frozen=True):
    """
    Which columns (counted from 0) hold which field, and the headings that nobody asked for.

    `guesses` are fields that some of those headings resemble: shown, never taken. `remembered` are the fields whose
    column an earlier import was told.
    """

    of: Mapping[str, tuple[int, ...]]
    ignored: tuple[str, ...] = ()
    guesses: Mapping[str, str] = {}
    remembered: tuple[str, ...] = ()

    def first(self, field: str) -> int | None:
        """The first column of a field."""
        return next(iter(self.of.get(field, ())), None)


def field_of(heading: str) -> str | None:
    """
    The field that a heading means, if it is a known word for one.

    >>> field_of("Correo electrónico"), field_of("Provincia")
    ('email', None)
    """
    return _FIELD_OF.get(fold(heading)) if len(heading) <= _LONGEST else None


def recognise(
    headings: Sequence[str], mapping: Mapping[str, str] | None = None, remembered: Mapping[str, str] | None = None
) -> Columns:
    """
    Find the columns of each field; `mapping` (field → heading or column number) goes first, then what is remembered.

    Raises:
        Refused: The mapping names a field or a column that isn't there.
        AuthorError: No column holds addresses, or two columns claim one field.

    """
    told = {field: _column(field, heading, headings) for field, heading in (mapping or {}).items()}
    kept = {
        field: column
        for field, heading in (remembered or {}).items()
        if field not in told and (column := _place(heading, headings)) is not None and column not in told.values()
    }
    of = {field: [column] for field, column in (told | kept).items()}
    taken = {column for columns in of.values() for column in columns}
    fixed = set(of)
    ignored: list[str] = []
    for column, heading in enumerate(headings):
        found = field_of(heading)
        if column in taken:
            continue
        if found is not None and found not in fixed:
            of.setdefault(found, []).append(column)
        elif heading.strip() and fold(heading) not in OWN_HEADINGS:
            ignored.append(heading.strip())
    guesses = {heading: field for heading in ignored if (field := guess(heading)) and field not in of}
    _check(of, headings, guesses)
    return Columns(
        of={field: tuple(columns) for field, columns in of.items()},
        ignored=tuple(ignored),
        guesses=guesses,
        remembered=tuple(kept),
    )


def guess(heading: str) -> str | None:
    """
    The field whose word a heading resembles.

    >>> guess("Corrreo electrnico"), guess("Instituccion"), guess("Provincia")
    ('email', 'institution', None)
    """
    word = fold(heading)
    close = get_close_matches(word, _FIELD_OF, n=1, cutoff=_ALIKE) if len(word) <= _LONGEST else []
    return _FIELD_OF[close[0]] if close and _FIELD_OF[close[0]] != SURNAME else None


def _place(heading: str, headings: Sequence[str]) -> int | None:
    folded = [fold(each) for each in headings]
    if fold(heading) in folded:
        return folded.index(fold(heading))
    if heading.isdecimal() and 1 <= int(heading) <= len(headings):
        return int(heading) - 1
    return None


def _column(field: str, heading: str, headings: Sequence[str]) -> int:
    if field not in (EMAIL, SURNAME, *FIELDS, TAGS):
        raise Refused(f"there is no field {field!r} to map; the fields are {', '.join((EMAIL, *FIELDS, TAGS))}")
    found = _place(heading, headings)
    if found is not None:
        return found
    raise Refused(f"the list has no column {heading!r} for {field}; its columns are {_listed(headings)}")


def _check(of: Mapping[str, Sequence[int]], headings: Sequence[str], guesses: Mapping[str, str]) -> None:
    alike = next((heading for heading, field in guesses.items() if field == EMAIL), None)
    if EMAIL not in of and alike:
        raise AuthorError(f"no column is headed as an address; if {alike!r} is it, add --map 'email={alike}'")
    if EMAIL not in of:
        raise AuthorError(
            f"no column is headed as an address; the columns are {_listed(headings)}: "
            f"say which one it is with --map email=COLUMN"
        )
    for field, columns in of.items():
        if field not in {EMAIL, TAGS} and len(columns) > 1:
            names = " and ".join(repr(headings[column].strip()) for column in columns)
            raise AuthorError(f"the columns {names} both look like the {field}; choose with --map {field}=COLUMN")


def _listed(headings: Sequence[str]) -> str:
    named = [repr(heading.strip()) if heading.strip() else f"(column {n})" for n, heading in enumerate(headings, 1)]
    return ", ".join(named[:30]) + (" …" if len(named) > 30 else "")  # noqa: PLR2004 — a sentence, not a page
