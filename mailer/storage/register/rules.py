"""Rules as conditions on subscribers. Values are always bound, never part of the statement."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, not_, or_, select

from mailer.audience.rules import All, Any_, Clicked, Compare, Joined, Received, Rule
from mailer.audience.rules import Not as NotRule
from mailer.errors import Refused
from mailer.storage.campaign_tables import campaigns, deliveries
from mailer.storage.click_tables import trails
from mailer.storage.clicks import clickers_of
from mailer.storage.cluster_tables import archives
from mailer.storage.register.tables import institutions, memberships, subscribers, tags

_OF_INSTITUTIONS = {
    "institution.kind": "kind",
    "institution.country": "country",
    "province": "province",
    "canton": "canton",
}


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
        return exists().where(
            memberships.c.subscriber_id == subscribers.c.id,
            _matches(memberships.c.segment, rule),
            memberships.c.state == "joined",
        )
    if rule.field == "tag":
        return subscribers.c.id.in_(select(tags.c.subscriber_id).where(_matches(tags.c.tag, rule)))
    if rule.field in _OF_INSTITUTIONS:
        column = institutions.c[_OF_INSTITUTIONS[rule.field]]
        return subscribers.c.institution.in_(select(institutions.c.name).where(_matches(column, rule)))
    return _matches(subscribers.c[rule.field], rule)


def _matches(column: ColumnElement[str], rule: Compare) -> ColumnElement[bool]:
    if rule.holds:
        return column.icontains(rule.values[0], autoescape=True)
    return column.in_(rule.values)


def refuse_untold(connection: Connection, rule: Rule) -> None:
    """
    Refuse a rule that asks what the books can't tell.

    That is who followed a link where nobody's name was kept, and who got an issue whose deliveries are in a file.

    Raises:
        Refused: The clicks on the issue are figures only, nobody was sent it, or its deliveries were put away.

    """
    match rule:
        case Received():
            put_away = select(archives.c.file).join(campaigns, campaigns.c.id == archives.c.campaign_id)
            if file := connection.scalar(put_away.where(campaigns.c.issue == rule.issue).limit(1)):
                raise Refused(f"who received {rule.issue} was put away in {file}; the rule can't be judged any more")
        case Clicked():
            ways = select(trails.c.tracking).join(campaigns, campaigns.c.id == trails.c.campaign_id)
            kept = set(connection.scalars(ways.where(campaigns.c.issue == rule.issue)))
            if "individual" not in kept:
                why = "was counted without names" if kept else "has not been sent with its links counted"
                raise Refused(
                    f"nobody can tell who clicked {rule.issue}: it {why}; such a rule needs issues sent with "
                    f'[feedback] tracking = "individual"'
                )
        case NotRule():
            refuse_untold(connection, rule.rule)
        case All() | Any_():
            for each in rule.rules:
                refuse_untold(connection, each)
