"""
Segments by rule: a small typed language for who is meant. Never SQL from a person.

    country in ["PE", "CO"] and language = "es" and not institution.kind = "consulate"
    segment = "gads" and province = "Azuay" and joined after 2022-01-01
    segment = "partners" minus segment = "diplomats"
    not received "2022-11"

A field is compared with `=`, `!=`, `~` (holds the text) or `in [...]`; `joined before|after` takes a day; `received`
and `clicked` take an issue (clicks are known of those alone who let them be kept). `not` binds strongest, then `and`,
then `minus` (and not), then `or`.
"""

from datetime import date
from typing import Final

import msgspec

from mailer.errors import Refused

FIELDS: Final = (
    "email", "domain", "name", "honorific", "position", "institution", "country", "language", "state", "segment",
    "institution.kind", "institution.country", "province", "canton", "tag",
)  # fmt: skip

_LONGEST: Final = 4000
_DEEPEST: Final = 60


class Compare(msgspec.Struct, frozen=True, tag=True):
    """A field that is one of `values`, or with `holds` has one of them in it."""

    field: str
    values: tuple[str, ...]
    holds: bool = False


class Joined(msgspec.Struct, frozen=True, tag=True):
    """Who came into the register before a day, or on it and after."""

    day: date
    before: bool


class Received(msgspec.Struct, frozen=True, tag=True):
    """Who was sent an issue."""

    issue: str


class Clicked(msgspec.Struct, frozen=True, tag=True):
    """Who followed a link of an issue, among those who let that be kept."""

    issue: str


class Not(msgspec.Struct, frozen=True, tag=True):
    """Who doesn't fit."""

    rule: "Rule"


class All(msgspec.Struct, frozen=True, tag=True):
    """Who fits every one."""

    rules: tuple["Rule", ...]


class Any_(msgspec.Struct, frozen=True, tag=True):  # noqa: N801 — `Any` is taken
    """Who fits one at least."""

    rules: tuple["Rule", ...]


Rule = Compare | Joined | Received | Clicked | Not | All | Any_


def parse_rule(text: str) -> Rule:
    """
    Read a rule.

    >>> parse_rule('country in ["Perú", CO] and not language = "es"')
    All(rules=(Compare(field='country', values=('PE', 'CO'), holds=False),
     Not(rule=Compare(field='language', values=('es',), holds=False))))

    Raises:
        Refused: It is no rule; the sentence points at the column.

    """
    from lark import UnexpectedInput
    from lark.exceptions import VisitError

    from mailer.audience.rule_grammar import WrongWord, read

    if len(text) > _LONGEST or text.count("(") + text.lower().count("not ") > _DEEPEST:
        raise Refused("the rule is too long to be understood; make segments of its parts")
    try:
        return read(text)
    except UnexpectedInput as problem:
        column = problem.column if isinstance(problem.column, int) and problem.column > 0 else len(text) + 1
        raise Refused(_pointed(text, column, _expected(text, column))) from None
    except VisitError as problem:
        if isinstance(problem.orig_exc, Refused):
            raise problem.orig_exc from None
        if isinstance(problem.orig_exc, WrongWord):
            raise Refused(_pointed(text, problem.orig_exc.column, str(problem.orig_exc))) from None
        raise


def _pointed(text: str, column: int, message: str) -> str:
    around = text[max(0, column - 1) : column + 19].strip()
    return f"column {column} of the rule{f', at {around!r}' if around else ', at its end'}: {message}"


def _expected(text: str, column: int) -> str:
    if column > len(text.rstrip()):
        return 'something is missing here: a comparison such as country = "PE", or a closing bracket'
    return 'a comparison was expected, such as country in ["PE", "CO"], joined after 2022-01-31 or received "2022-11"'
