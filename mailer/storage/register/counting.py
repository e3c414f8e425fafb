"""
How segments and rules stand, counted from what is out of the ordinary.

Nearly everybody is active, not paused and not suppressed. Those who aren't are few and have indexes of their own; the
rest is what is left of the whole, so that a million people are counted without looking at each.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, case, func, literal, or_, select, union

from mailer.audience.rules import Rule
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
    odd = _odd_ones(connection).subquery()
    exceptions = (
        select(memberships.c.segment, standing, func.count())
        .select_from(odd)
        .join(subscribers, subscribers.c.id == odd.c.id)
        .join(memberships, memberships.c.subscriber_id == subscribers.c.id)
        .where(memberships.c.state == "joined")
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
    odd = _odd_ones(connection, name).subquery()
    is_member = is_joined()
    whole, members = connection.execute(select(func.count(), func.sum(case((is_member, 1), else_=0))).where(fits)).one()
    counts = Counter({"deliverable": members or 0, NOWHERE: whole - (members or 0)})
    exceptions = (
        select(how, is_member.label("is_member"), func.count())
        .select_from(odd)
        .join(subscribers, subscribers.c.id == odd.c.id)
        .where(fits)
        .group_by(how, is_member)
    )
    for why, is_in, number in connection.execute(exceptions):
        usual = "deliverable" if is_in else NOWHERE
        counts[usual] -= number
        counts[usual if why == "deliverable" else why] += number
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


def _odd_ones(connection: Connection, name: str = "") -> CompoundSelect[Any]:
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
    return union(*parts)


def _suppressed_domains(connection: Connection, in_force: ColumnElement[bool]) -> Sequence[str]:
    keys = connection.scalars(select(suppressions.c.key).where(suppressions.c.key.like("@%"), in_force))
    return [key[1:] for key in keys]
