"""Whom segments hold, as selectables that other books join: lists' segments, rules', and what is left out."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, case, exists, func, literal, or_, select, union_all

from mailer.audience.rules import Rule
from mailer.storage.register.rules import condition
from mailer.storage.register.tables import may_be_written_to, memberships, subscribers

NO_RULES: Final[Mapping[str, Rule]] = MappingProxyType({})


def recipients_of(
    segments: Sequence[str],
    language: str,
    *,
    rules: Mapping[str, Rule] = NO_RULES,
    excluded: Sequence[str] = (),
) -> Select[tuple[object, ...]]:
    """
    Everybody who may be written to in the first of `segments` that holds them: one row a person, the columns of
    `audience.recipient.Recipient`; who has no language of their own reads `language`.

    `rules` are of those segments, and of those `excluded`, that are by rule.
    """
    candidates = _candidates(segments, rules).subquery()
    first = (
        select(candidates.c.subscriber_id, func.min(candidates.c.rank).label("rank"))
        .group_by(candidates.c.subscriber_id)
        .subquery()
    )
    segment = case(dict(enumerate(segments)), value=first.c.rank)
    return (
        select(
            subscribers.c.id.label("subscriber_id"),
            subscribers.c.email,
            segment.label("segment"),
            case((subscribers.c.language == "", language), else_=subscribers.c.language).label("language"),
            subscribers.c.name,
            subscribers.c.honorific,
            subscribers.c.position,
            subscribers.c.institution,
            subscribers.c.country,
        )
        .join(first, first.c.subscriber_id == subscribers.c.id)
        .where(may_be_written_to(), *(~holds(name, rules) for name in excluded))
        .order_by(subscribers.c.id)
    )


def holds(name: str, rules: Mapping[str, Rule]) -> ColumnElement[bool]:
    """Whether the segment holds the subscriber of the row at hand."""
    return _fits(name, rules[name]) if name in rules else is_joined(name)


def is_joined(name: str | ColumnElement[str] | None = None) -> ColumnElement[bool]:
    """Whether the subscriber of the row at hand is in a list's segment: the one named, or any."""
    joined = exists().where(memberships.c.subscriber_id == subscribers.c.id, memberships.c.state == "joined")
    joined = joined if name is None else joined.where(memberships.c.segment == name)
    return joined.correlate_except(memberships)  # a name that is a column is that of the row at hand, however far out


def has_left(name: str | ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the subscriber of the row at hand left a segment by its name, by rule or not."""
    left = exists().where(
        memberships.c.subscriber_id == subscribers.c.id,
        memberships.c.segment == name,
        memberships.c.state != "joined",
    )
    return left.correlate_except(memberships)


def _fits(name: str, rule: Rule) -> ColumnElement[bool]:
    """Who fits a rule is held by its segment, unless they left it; who left every list is reached by no rule."""
    return and_(condition(rule), is_joined(), ~has_left(name))


def _candidates(segments: Sequence[str], rules: Mapping[str, Rule]) -> Select[Any] | CompoundSelect[Any]:
    """Number and rank of everybody in one of the segments, once for each."""
    ranks = {name: rank for rank, name in enumerate(segments)}
    lists = [name for name in segments if name not in rules]
    parts: list[Select[Any]] = []
    if lists or not segments:
        rank = case(ranks, value=memberships.c.segment) if ranks else literal(0)
        of_lists = select(memberships.c.subscriber_id, rank.label("rank"))
        parts.append(of_lists.where(memberships.c.state == "joined", memberships.c.segment.in_(lists)))
    parts += [
        select(subscribers.c.id.label("subscriber_id"), literal(ranks[name]).label("rank")).where(
            _fits(name, rules[name])
        )
        for name in segments
        if name in rules
    ]
    return parts[0] if len(parts) == 1 else union_all(*parts)


def is_still_held(segment: ColumnElement[str], is_by_rule: ColumnElement[bool]) -> ColumnElement[bool]:
    """
    Whether the subscriber of the row at hand is still in the segment that they were frozen for.

    Who fitted a rule stays until they leave: its segment by name, or every list.
    """
    # One value by its key, no EXISTS: of that PostgreSQL may make a table of everybody in the segment, for each row.
    of_person = (memberships.c.subscriber_id == subscribers.c.id, memberships.c.segment == segment)
    standing = select(memberships.c.state).where(*of_person).correlate_except(memberships).scalar_subquery()
    return or_(standing == "joined", and_(is_by_rule, is_joined(), func.coalesce(standing, "joined") == "joined"))
