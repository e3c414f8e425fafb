"""What is said of rows, in the language of those who read it: reasons in the rejects file, notes in the account."""

from typing import Final

import msgspec


class Wording(msgspec.Struct, frozen=True):
    """Sentences with holes, and the headings that a rejects file adds."""

    line: str
    reason: str
    no_address: str
    bad_address: str
    wide: str
    long: str
    contradicts: str
    several: str
    cleaned: str
    lookalike: str
    alphabets: str
    language: str
    tag: str
    problems: tuple[tuple[str, str], ...] = ()
    """How the words of what judges addresses begin, in English, and what they mean; the last is for all others."""


_ENGLISH: Final = Wording(
    line="line",
    reason="reason",
    no_address="the row has no address",
    bad_address='"{piece}": {problem}',
    wide="the row has {cells} cells and the heading {width}; is a separator inside an unquoted cell?",
    long="a cell holds more than {most} characters; is a quotation mark left open?",
    contradicts="the address is on line {line} too, with other details; keep one of the rows",
    several="{number} addresses in one row: {found}",
    cleaned='"{cell}" was read as {found}',
    lookalike="is {domain} meant to be {meant}? It goes in as it stands",
    alphabets="{domain} has letters of two alphabets that look alike; it goes in as it stands",
    language='the language "{cell}" is not known and was left out',
    tag='the tag "{tag}…" has more than {most} letters and was left out',
)
_SPANISH: Final = Wording(
    line="línea",
    reason="motivo",
    no_address="la fila no tiene dirección",
    bad_address="«{piece}»: {problem}",
    wide="la fila tiene {cells} celdas y el encabezado {width}; ¿hay un separador en una celda sin comillas?",
    long="una celda tiene más de {most} caracteres; ¿quedó abierta una comilla?",
    contradicts="la dirección está también en la línea {line}, con otros datos; deje una de las dos filas",
    several="{number} direcciones en una fila: {found}",
    cleaned="«{cell}» se leyó como {found}",
    lookalike="¿{domain} debía ser {meant}? Entra tal como está",
    alphabets="{domain} mezcla letras de dos alfabetos que se parecen; entra tal como está",
    language="el idioma «{cell}» no se conoce y se dejó fuera",
    tag="la etiqueta «{tag}…» tiene más de {most} letras y se dejó fuera",
    problems=(
        ("An email address must have an @", "a la dirección le falta la @"),
        ("There must be something before the @", "falta lo que va antes de la @"),
        ("There must be something after the @", "falta lo que va después de la @"),
        ("The part after the @-sign is not valid. It should have a period", "tras la @ falta un punto, como en gob.ec"),
        ("The part after the @-sign contains invalid", "tras la @ hay caracteres que no pueden estar ahí"),
        (
            "The email address contains invalid characters before",
            "antes de la @ hay caracteres que no pueden estar",
        ),
        ("An email address cannot have two periods", "hay dos puntos seguidos"),
        ("An email address cannot have a period", "hay un punto donde no puede estar"),
        ("An email address cannot end with", "la dirección termina en un signo que no puede ir al final"),
        ("An email address cannot start with", "la dirección empieza con un signo que no puede ir al comienzo"),
        ("The email address is too long", "la dirección es demasiado larga"),
        ("the address holds a line break", "hay un salto de línea u otro carácter de control en la dirección"),
        ("", "no es una dirección válida"),
    ),
)
_WORDINGS: Final = {"es": _SPANISH, "en": _ENGLISH}
OWN_HEADINGS: Final = frozenset({"linea", "motivo", "line", "reason"})
"""The headings that a rejects file adds, folded, in every language."""


def wording(language: str) -> Wording:
    """The sentences in a language; in English if there are none."""
    return _WORDINGS.get(language, _ENGLISH)


def problem_in(say: Wording, problem: str) -> str:
    """
    What is wrong with an address, in the language of the others.

    >>> problem_in(wording("es"), "An email address must have an @-sign")
    'a la dirección le falta la @'
    """
    return next((meant for begins, meant in say.problems if problem.startswith(begins)), problem)
