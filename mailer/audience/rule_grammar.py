"""The grammar of rules, and the values made of what it finds. Loaded only when a rule is read."""

from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from lark import Lark, Token, Transformer

from mailer.audience.importing.cells import country_code, language_code
from mailer.audience.rules import FIELDS, All, Any_, Clicked, Compare, Joined, Not, Received, Rule

_GRAMMAR: Final = r"""
    ?rule: difference ("or"i difference)*              -> either
    ?difference: conjunction ("minus"i conjunction)*   -> minus
    ?conjunction: negation ("and"i negation)*          -> both
    ?negation: "not"i negation                         -> negate
             | atom
    ?atom: "(" rule ")"
         | field "=" value                             -> equals
         | field "!=" value                            -> differs
         | field "~" value                             -> holds
         | field "in"i "[" value ("," value)* ","? "]" -> among
         | "joined"i "before"i DAY                     -> before
         | "joined"i "after"i DAY                      -> after
         | "received"i issue                           -> received
         | "did-not-receive"i issue                    -> missed
         | "clicked"i issue                            -> clicked
    field: FIELD
    value: STRING | WORD
    issue: STRING | MONTH | WORD
    FIELD: /[a-z]+(\.[a-z]+)?/
    STRING: /"[^"\n]*"/ | /'[^'\n]*'/
    DAY.3: /\d{4}-\d{2}-\d{2}/
    MONTH.2: /\d{4}-\d{2}/
    WORD: /[\w@.+-]+/
    %ignore /\s+/
"""


class WrongWord(ValueError):
    """A word that fits the grammar and means nothing; knows its column."""

    def __init__(self, token: Any, message: str) -> None:
        super().__init__(message)
        self.column: int = token.column


def read(text: str) -> Rule:
    """Parse a rule; errors are lark's, or `WrongWord` and `Refused` wrapped by it."""
    return _Builder().transform(_parser().parse(text))


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, start="rule", parser="earley", propagate_positions=True, maybe_placeholders=False)


class _Builder(Transformer[Token, Rule]):
    """Makes values of what the parser found; a method a production."""

    def field(self, items: list[Any]) -> Any:
        name = str(items[0])
        if name not in FIELDS:
            close = get_close_matches(name, FIELDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"the fields are {', '.join(FIELDS)}"
            raise WrongWord(items[0], f"there is no field {name!r}; {hint}")
        return name

    def value(self, items: list[Any]) -> Any:
        return items[0].strip("\"'") if items[0].type == "STRING" else str(items[0])

    issue = value

    def equals(self, items: list[Any]) -> Rule:
        return Compare(items[0], (_coded(items[0], items[1]),))

    def differs(self, items: list[Any]) -> Rule:
        return Not(self.equals(items))

    def holds(self, items: list[Any]) -> Rule:
        return Compare(items[0], (items[1],), holds=True)

    def among(self, items: list[Any]) -> Rule:
        return Compare(items[0], tuple(_coded(items[0], item) for item in items[1:]))

    def before(self, items: list[Any]) -> Rule:
        return Joined(_day(items[0]), before=True)

    def after(self, items: list[Any]) -> Rule:
        return Joined(_day(items[0]), before=False)

    def received(self, items: list[Any]) -> Rule:
        return Received(items[0])

    def missed(self, items: list[Any]) -> Rule:
        return Not(Received(items[0]))

    def clicked(self, items: list[Any]) -> Rule:
        return Clicked(items[0])

    def negate(self, items: list[Any]) -> Rule:
        return Not(items[0])

    def both(self, items: list[Any]) -> Rule:
        return items[0] if len(items) == 1 else All(tuple(items))

    def minus(self, items: list[Any]) -> Rule:
        return items[0] if len(items) == 1 else All((items[0], *(Not(item) for item in items[1:])))

    def either(self, items: list[Any]) -> Rule:
        return items[0] if len(items) == 1 else Any_(tuple(items))


def _coded(field: str, value: str) -> str:
    """The value as the register keeps it: codes for countries and languages."""
    if field in {"country", "institution.country"}:
        return country_code(value)
    if field == "language":
        return language_code(value) or value
    return value


def _day(token: Any) -> date:
    try:
        return date.fromisoformat(str(token))
    except ValueError:
        raise WrongWord(token, f"{token} is no day of the calendar") from None
