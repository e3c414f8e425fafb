"""
Segments by name: a list's, or a rule's that config.toml or the register names.

A rule may name other segments, by rule or not: `segment = "partners" minus segment = "andinos"`.
"""

from collections.abc import Iterable, Mapping

import msgspec

from mailer.audience.rules import All, Any_, Compare, Not, Rule, parse_rule
from mailer.errors import Refused


def needed(names: Iterable[str], rules: Mapping[str, str]) -> dict[str, str]:
    """
    The rules, by name, that these segments are made of: their own, and those that these lean on.

    >>> needed(["andes", "gads"], {"andes": "segment = sur and country = PE", "sur": "country in [PE, CL]", "x": "…"})
    {'andes': 'segment = sur and country = PE', 'sur': 'country in [PE, CL]'}

    Raises:
        Refused: One of them is no rule, or leans on itself.

    """
    found: dict[str, str] = {}
    for name in names:
        _gather(name, rules, found, ())
    return found


def resolved(names: Iterable[str], rules: Mapping[str, str]) -> dict[str, Rule]:
    """
    Those of the segments that are by rule, each as one rule in which only lists are named.

    Raises:
        Refused: One of them is no rule, or leans on itself.

    """
    return {name: resolve(_read(name, rules[name]), rules, (name,)) for name in names if name in rules}


def resolve(rule: Rule, rules: Mapping[str, str], within: tuple[str, ...] = ()) -> Rule:
    """
    A rule with the segments that it names put in their places.

    Raises:
        Refused: One of them is no rule, or leans on itself.

    """
    match rule:
        case Compare() if rule.field == "segment" and not rule.holds and (named := set(rule.values) & rules.keys()):
            lists = tuple(value for value in rule.values if value not in named)
            parts = [_within(name, rules, within) for name in rule.values if name in named]
            return Any_((*([msgspec.structs.replace(rule, values=lists)] if lists else []), *parts))
        case Not():
            return Not(resolve(rule.rule, rules, within))
        case All():
            return All(tuple(resolve(each, rules, within) for each in rule.rules))
        case Any_():
            return Any_(tuple(resolve(each, rules, within) for each in rule.rules))
        case _:
            return rule


def _within(name: str, rules: Mapping[str, str], within: tuple[str, ...]) -> Rule:
    if name in within:
        raise Refused(f"the segment {name} leans on itself ({' → '.join((*within, name))}); take one of them out")
    return resolve(_read(name, rules[name]), rules, (*within, name))


def _gather(name: str, rules: Mapping[str, str], found: dict[str, str], within: tuple[str, ...]) -> None:
    if name not in rules or name in found:
        return
    resolve(_read(name, rules[name]), rules, (name,))  # refuses what leans on itself
    found[name] = rules[name]
    for other in _named(_read(name, rules[name])):
        _gather(other, rules, found, (*within, name))


def _named(rule: Rule) -> Iterable[str]:
    match rule:
        case Compare() if rule.field == "segment":
            yield from rule.values
        case Not():
            yield from _named(rule.rule)
        case All() | Any_():
            for each in rule.rules:
                yield from _named(each)


def _read(name: str, text: str) -> Rule:
    try:
        return parse_rule(text)
    except Refused as problem:
        raise Refused(f"the rule of the segment {name}: {problem}") from None
