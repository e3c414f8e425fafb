"""Rules as conditions on subscribers, and who fits one. Values are always bound, never part of the statement."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, not_, or_, select

from mailer.audience.rules import All, Any_, Clicked, Compare, Joined, Received, Rule
from mailer.audience.rules import Not as NotRule
from mailer.storage.campaign_tables import campaigns, deliveries
from mailer.storage.clicks import clickers_of
from mailer.storage.register.tables import (
    institutions,
    is_suppressed,
    may_be_written_to,
    memberships,
    subscribers,
)

_OF_INSTITUTIONS = {"institution.kind": "kind", "province": "province", "canton": "canton"}


class Fitting(msgspec.Struct, frozen=True):
    """How many fit a rule, how they stand, and some of them: email and standing."""

    people: int
    standing: dict[str, int]
    sample: list[dict[str, str]]


def condition(rule: Rule) -> ColumnElement[bool]:
    """Whether the subscriber of the row at hand fits."""
    match rule:
        case Compare():
            return _compare(rule)
        case Joined():
            start = datetime(rule.day.year, rule.day.month, rule.day.day, tzinfo=UTC)
            return subscribers.c.created_at < start if rule.before else subscribers.c.created_at >= start
        case Received():
            sent = select(deliveries.c.subscriber_id).join(campaigns, campaigns.c.id == deliveries.c.campaign_id)
            return subscribers.c.id.in_(sent.where(campaigns.c.issue == rule.issue, deliveries.c.state == "sent"))
        case Clicked():
            return subscribers.c.id.in_(clickers_of(rule.issue))
        case NotRule():
            return not_(condition(rule.rule))
        case All():
            return and_(*(condition(each) for each in rule.rules))
        case Any_():
            return or_(*(condition(each) for each in rule.rules))


def _compare(rule: Compare) -> ColumnElement[bool]:
    if rule.field == "segment":
        return subscribers.c.id.in_(
            select(memberships.c.subscriber_id).where(
                _matches(memberships.c.segment, rule), memberships.c.state == "joined"
            )
        )
    if rule.field in _OF_INSTITUTIONS:
        column = institutions.c[_OF_INSTITUTIONS[rule.field]]
        return subscribers.c.institution.in_(select(institutions.c.name).where(_matches(column, rule)))
    return _matches(subscribers.c[rule.field], rule)


def _matches(column: ColumnElement[str], rule: Compare) -> ColumnElement[bool]:
    if rule.holds:
        return column.icontains(rule.values[0], autoescape=True)
    return column.in_(rule.values)


def fitting(connection: Connection, rule: Rule, sample: int) -> Fitting:
    """Who fits a rule, by how they stand: `deliverable`, or why not."""
    fits = condition(rule)
    is_member = exists().where(memberships.c.subscriber_id == subscribers.c.id, memberships.c.state == "joined")
    standing = case(
        (subscribers.c.state == "unsubscribed", "unsubscribed"),
        (is_suppressed(), "suppressed"),
        (subscribers.c.state == "unconfirmed", "unconfirmed"),
        (~may_be_written_to(), "paused"),
        (~is_member, "in no segment"),
        else_="deliverable",
    )
    counts = connection.execute(select(standing.label("how"), func.count().label("many")).where(fits).group_by("how"))
    found = {row.how: row.many for row in counts}
    shown = connection.execute(
        select(subscribers.c.email, standing.label("how")).where(fits).order_by(subscribers.c.id).limit(sample)
    )
    return Fitting(
        people=sum(found.values()),
        standing=found,
        sample=[{"email": row.email, "standing": row.how} for row in shown] if sample else [],
    )


def institutions_reached(connection: Connection, segment: str) -> Sequence[tuple[str, str, str, str]]:
    """Kind, province, canton and country of every institution that somebody in the segment can be written to at."""
    joined = exists().where(
        memberships.c.subscriber_id == subscribers.c.id,
        memberships.c.segment == segment,
        memberships.c.state == "joined",
    )
    rows = connection.execute(
        select(institutions.c.kind, institutions.c.province, institutions.c.canton, subscribers.c.country)
        .join(institutions, institutions.c.name == subscribers.c.institution)
        .where(joined, may_be_written_to())
        .distinct()
    )
    return [(row.kind, row.province, row.canton, row.country) for row in rows]
