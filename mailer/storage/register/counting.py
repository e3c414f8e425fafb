"""
How segments and rules stand, counted from what is out of the ordinary.

Nearly everybody is active, not paused and not suppressed. Those who aren't are few and have indexes of their own; the
rest is what is left of the whole, so that a million people are counted without looking at each.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, or_, select, union

from mailer.audience.rules import Compare, Rule
from mailer.storage.register.choosing import has_left, is_joined
from mailer.storage.register.rules import condition
from mailer.storage.register.tables import is_suppressed, may_be_written_to, memberships, subscribers, suppressions

NOWHERE = "in no segment"


class Fitting(msgspec.Struct, frozen=True):
    """How many fit a rule, how they stand, and some of them: email and standing."""

    people: int
    standing: dict[str, int]
    sample: list[dict[str, str]]


def count_lists(connection: Connection) -> dict[str, Counter[str]]:
    """By list's segment and standing, how many people; who was removed by a list is not of it any more."""
    counts: dict[str, Counter[str]] = {}
    states = select(memberships.c.segment, memberships.c.state, func.count()).group_by(
        memberships.c.segment, memberships.c.state
    )
    for segment, state, number in connection.execute(states):
        if state != "removed":
            found = counts.setdefault(segment, Counter())
            found["deliverable" if state == "joined" else "unsubscribed"] += number
    standing = _standing().label("standing")
    odd = union(*_odd_ones(connection)).subquery()
    exceptions = (
        select(memberships.c.segment, standing, func.count())
        .join(memberships, memberships.c.subscriber_id == subscribers.c.id)
        .where(subscribers.c.id.in_(select(odd.c.id)), memberships.c.state == "joined")
        .group_by(memberships.c.segment, standing)
    )
    for segment, how, number in connection.execute(exceptions):
        counts[segment]["deliverable"] -= number
        counts[segment][how] += number
    return counts


def fitting(connection: Connection, rule: Rule, *, name: str = "", sample: int = 0) -> Fitting:
    """Who fits a rule, by how they stand: `deliverable`, or why not. Who left the segment `name` counts as gone."""
    fits = condition(rule)
    standing = _standing(name)
    how = standing.label("how")
    odd = union(*_odd_ones(connection, name), *_perhaps_nowhere(connection)).subquery()
    is_member = is_joined()
    whole: int = connection.scalar(_number_of(rule, fits)) or 0
    counts = Counter({"deliverable": whole})
    exceptions = (
        select(how, is_member.label("is_member"), func.count())
        .where(subscribers.c.id.in_(select(odd.c.id)), fits)
        .group_by(how, is_member)
    )
    for why, is_in, number in connection.execute(exceptions):
        counts["deliverable"] -= number
        counts[NOWHERE if why == "deliverable" and not is_in else why] += number
    shown = case((standing != "deliverable", standing), (~is_member, NOWHERE), else_="deliverable").label("shown")
    some = select(subscribers.c.email, shown).where(fits).order_by(subscribers.c.id).limit(sample)
    return Fitting(
        people=whole,
        standing={why: number for why, number in counts.items() if number},
        sample=[{"email": row.email, "standing": row.shown} for row in connection.execute(some)] if sample else [],
    )


def _standing(name: str = "") -> ColumnElement[str]:
    """How the subscriber of the row at hand stands, memberships aside."""
    gone = subscribers.c.state == "unsubscribed"
    return case(
        (or_(gone, has_left(name)) if name else gone, "unsubscribed"),
        (is_suppressed(), "suppressed"),
        (subscribers.c.state == "unconfirmed", "unconfirmed"),
        (~may_be_written_to(), "paused"),
        else_="deliverable",
    )


def _number_of(rule: Rule, fits: ColumnElement[bool]) -> Select[tuple[int]]:
    """How many fit; of a single list its index knows."""
    if isinstance(rule, Compare) and rule.field == "segment" and len(rule.values) == 1 and not rule.holds:
        of_list = (memberships.c.segment == rule.values[0], memberships.c.state == "joined")
        return select(func.count()).select_from(memberships).where(*of_list)
    return select(func.count()).select_from(subscribers).where(fits)


def _perhaps_nowhere(connection: Connection) -> list[Select[Any]]:
    """Those who may be in no segment: who left or was removed from one, unless some were never in any."""
    people = connection.scalar(select(func.count()).select_from(subscribers))
    somewhere = select(memberships.c.subscriber_id).group_by(memberships.c.subscriber_id).subquery()
    if people != connection.scalar(select(func.count()).select_from(somewhere)):
        return [select(subscribers.c.id.label("id")).where(~is_joined())]
    names = list(connection.scalars(select(memberships.c.segment).distinct()))
    gone = select(memberships.c.subscriber_id.label("id"))
    return [gone.where(memberships.c.segment.in_(names), memberships.c.state.in_(["left", "removed"]))]


def _odd_ones(connection: Connection, name: str = "") -> list[Select[Any]]:
    """The numbers of those who may be anything but deliverable, each from an index."""
    in_force = or_(suppressions.c.until.is_(None), suppressions.c.until > func.current_timestamp())
    number = subscribers.c.id.label("id")
    parts: list[Select[Any]] = [
        # Spelled out, so that the partial index serves.
        select(number).where(subscribers.c.state != literal("active", literal_execute=True)),
        select(number).where(subscribers.c.paused_until.is_not(None)),
        select(number).join(suppressions, suppressions.c.key == subscribers.c.email_key).where(in_force),
    ]
    if domains := _suppressed_domains(connection, in_force):
        parts.append(select(number).where(subscribers.c.domain.in_(domains)))
    if name:
        left = select(memberships.c.subscriber_id.label("id"))
        parts.append(left.where(memberships.c.segment == name, memberships.c.state == "left"))
    return parts


def _suppressed_domains(connection: Connection, in_force: ColumnElement[bool]) -> Sequence[str]:
    keys = connection.scalars(select(suppressions.c.key).where(suppressions.c.key.like("@%"), in_force))
    return [key[1:] for key in keys]
