"""
The book of clicks: the links of a campaign as they were laid, and how often each was followed.

A figure is kept by link, so by campaign, article and segment, and by what followed it. Who it was is kept only of
readers who said yes to that, in a campaign that was begun with `tracking = "individual"`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Select, and_, case, delete, func, insert, select

from mailer.deliveries.delivery import State
from mailer.feedback.scanners import Change, Judged
from mailer.messages.trail import Laid, Link
from mailer.storage.campaign_tables import campaigns, deliveries
from mailer.storage.click_tables import click_consents, clickers, clicks, links, trails
from mailer.storage.database import Database

TRAP: Final = 0
"""The position of the link that no person sees."""


class Followed(msgspec.Struct, frozen=True):
    """A counted link as it is followed; `of` is how many its edition has."""

    id: int
    campaign_id: int
    segment: str
    language: str
    position: int
    url: str
    of: int

    @property
    def is_trap(self) -> bool:
        """Whether no person sees it."""
        return self.position == TRAP


class Count(msgspec.Struct, frozen=True):
    """How often a link of one segment's editions was followed: by whom or what it seems, and in all."""

    campaign: int
    segment: str
    article: str
    url: str
    raw: int
    human: int
    judged: dict[str, int]

    @property
    def is_trap(self) -> bool:
        """Whether it is the link that no person sees."""
        return not self.url


class Clicks:
    """The book; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lay(
        self,
        campaign: int,
        tracking: str,
        editions: Mapping[tuple[str, str], Sequence[Link]],
        *,
        trap_url: str,
        now: datetime,
    ) -> None:
        """Fix how a campaign counts, and number its links; what was laid once stays, whatever is asked for later."""
        rows = [
            {"campaign_id": campaign, "segment": segment, "language": language, "position": position}
            | {"article": link.article, "url": link.url}
            for (segment, language), found in editions.items()
            for position, link in enumerate([Link("", trap_url), *found])
        ]
        trail = {"campaign_id": campaign, "tracking": tracking, "laid_at": now}
        with self._database.write() as connection:
            new = connection.execute(
                self._database.insert(trails).values(trail).on_conflict_do_nothing().returning(trails.c.campaign_id)
            )
            if new.first() is not None and tracking != "none" and rows:
                connection.execute(insert(links), rows)

    def laid(self, campaign: int) -> Laid:
        """How a campaign counts, and the number of each of its links."""
        with self._database.read() as connection:
            tracking = connection.scalar(select(trails.c.tracking).where(trails.c.campaign_id == campaign))
            rows = connection.execute(select(links).where(links.c.campaign_id == campaign)).all()
        editions: dict[tuple[str, str], dict[Link, int]] = {}
        traps: dict[tuple[str, str], int] = {}
        for row in rows:
            found = editions.setdefault((row.segment, row.language), {})
            if row.position == TRAP:
                traps[row.segment, row.language] = row.id
            else:
                found[Link(row.article, row.url)] = row.id
        return Laid(tracking=tracking or "none", editions=editions, traps=traps)

    def consenting(self, at: datetime) -> frozenset[int]:
        """Everybody who let their own clicks be kept, as it stood at an instant."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(_consenting(at)))

    def link(self, number: int) -> Followed | None:
        """The link of that number, or None; what it says never changes."""
        same = links.alias()
        its = and_(*(same.c[name] == links.c[name] for name in ("campaign_id", "segment", "language")))
        of = select(func.count()).where(its, same.c.position != TRAP).scalar_subquery()
        columns = [links.c[name] for name in Followed.__struct_fields__[:-1]]
        with self._database.read() as connection:
            row = connection.execute(select(*columns, of).where(links.c.id == number)).first()
        return None if row is None else Followed(*row)

    def is_fresh(self, followed: Followed, reader: int, *, since: datetime) -> bool:
        """
        Whether a click may well come from a message delivered after `since`: half or more of those that it can come
        from were, or none has been yet, as far as is known; where it names its reader, that one's alone.
        """
        new = func.count(case((deliveries.c.updated_at > since, 1)))
        can_be = [
            deliveries.c.campaign_id == followed.campaign_id,
            deliveries.c.state.in_([State.SENT.value, State.UNCERTAIN.value]),
            deliveries.c.segment == followed.segment,
        ]
        if reader:
            can_be.append(deliveries.c.subscriber_id == reader)
        with self._database.read() as connection:
            fresh, every = connection.execute(select(new, func.count()).where(and_(*can_be))).one()
            if every:
                return bool(2 * fresh >= every)
            # None is known of: it isn't recorded yet, or the campaign ended long ago and was put away.
            ended = select(campaigns.c.finished_at).where(campaigns.c.id == followed.campaign_id)
            return connection.scalar(ended) is None

    def count(self, changes: Sequence[Change], *, now: datetime) -> None:
        """Add clicks to the figures, and move those that are judged anew."""
        sums: Counter[tuple[int, Judged]] = Counter()
        for each in changes:
            sums[each.click.link, each.judged] += 1
            if each.before is not None:
                sums[each.click.link, each.before] -= 1
        with self._database.write() as connection:
            self._add(connection, {key: number for key, number in sums.items() if number})
            self._keep_clickers(connection, changes, now)

    def _add(self, connection: Connection, sums: Mapping[tuple[int, Judged], int]) -> None:
        # In the order of the keys, so that no two writers wait crosswise.
        rows = [{"link_id": link, "judged": judged.value, "number": n} for (link, judged), n in sorted(sums.items())]
        if not rows:
            return
        upsert = self._database.insert(clicks)
        connection.execute(
            upsert.on_conflict_do_update(
                index_elements=["link_id", "judged"], set_={"number": clicks.c.number + upsert.excluded.number}
            ),
            rows,
        )

    def _keep_clickers(self, connection: Connection, changes: Sequence[Change], now: datetime) -> None:
        for each in changes:
            if not each.click.reader:
                continue
            mine = (clickers.c.link_id == each.click.link, clickers.c.subscriber_id == each.click.reader)
            if each.judged is Judged.PERSON:
                row = {"link_id": each.click.link, "subscriber_id": each.click.reader, "at": now}
                if connection.scalar(_consenting(now).where(click_consents.c.subscriber_id == each.click.reader)):
                    connection.execute(self._database.insert(clickers).values(row).on_conflict_do_nothing())
            elif each.before is Judged.PERSON:
                connection.execute(delete(clickers).where(*mine))

    def counts(self, issue: str) -> tuple[list[Count], dict[int, str]]:
        """The figures of every link of an issue's campaigns, and how each campaign counts."""
        columns = (links.c.campaign_id, links.c.segment, links.c.article, links.c.url, links.c.position)
        query = (
            select(*columns, clicks.c.judged, func.sum(clicks.c.number).label("number"))
            .join(campaigns, campaigns.c.id == links.c.campaign_id)
            .outerjoin(clicks, clicks.c.link_id == links.c.id)
            .where(campaigns.c.issue == issue)
            .group_by(*columns, clicks.c.judged)
            .order_by(links.c.campaign_id, links.c.segment, links.c.position)
        )
        ways = select(campaigns.c.id, trails.c.tracking).outerjoin(trails).where(campaigns.c.issue == issue)
        found: dict[tuple[int, str, str, str], Counter[str]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                key = (row.campaign_id, row.segment, row.article, row.url if row.position else "")
                found.setdefault(key, Counter())[row.judged or ""] += int(row.number or 0)
            tracking = {number: how or "none" for number, how in connection.execute(ways)}
        return [_count(key, judged) for key, judged in found.items()], tracking


def _count(key: tuple[int, str, str, str], judged: Counter[str]) -> Count:
    known = {name: number for name, number in sorted(judged.items()) if number and name}
    return Count(*key, raw=sum(known.values()), human=known.get(Judged.PERSON.value, 0), judged=known)


def _consenting(at: datetime) -> Select[tuple[int]]:
    """The subscribers whose last word until then was yes."""
    last = (
        select(func.max(click_consents.c.id)).where(click_consents.c.at <= at).group_by(click_consents.c.subscriber_id)
    )
    return select(click_consents.c.subscriber_id).where(click_consents.c.id.in_(last), click_consents.c.is_given)


def clickers_of(issue: str) -> Select[tuple[int]]:
    """The subscribers who followed a link of an issue and let that be kept: what `clicked ISSUE` in a rule means."""
    return (
        select(clickers.c.subscriber_id)
        .join(links, links.c.id == clickers.c.link_id)
        .join(campaigns, campaigns.c.id == links.c.campaign_id)
        .where(campaigns.c.issue == issue)
    )


def followed_by(subscriber_id: int) -> Select[tuple[str, str, str, datetime]]:
    """What is kept of one reader's clicks, in words: the issue, the article, where it led, and when first."""
    return (
        select(campaigns.c.issue, links.c.article, links.c.url, clickers.c.at)
        .select_from(clickers)
        .join(links, links.c.id == clickers.c.link_id)
        .join(campaigns, campaigns.c.id == links.c.campaign_id)
        .where(clickers.c.subscriber_id == subscriber_id)
        .order_by(clickers.c.at)
    )


def consents_to_clicks(connection: Connection, subscriber_id: int) -> bool:
    """Whether a reader lets their own clicks be kept."""
    latest = (
        select(click_consents.c.is_given)
        .where(click_consents.c.subscriber_id == subscriber_id)
        .order_by(click_consents.c.id.desc())
    )
    return bool(connection.scalar(latest.limit(1)))


def let_clicks_be_kept(
    connection: Connection, subscriber_id: int, *, given: bool, text_version: str, now: datetime
) -> None:
    """Write down a reader's yes or no, if it is another than before; with the no goes what was kept so far."""
    if given is consents_to_clicks(connection, subscriber_id):
        return
    said = {"subscriber_id": subscriber_id, "at": now, "is_given": given, "text_version": text_version}
    connection.execute(insert(click_consents).values(said))
    if not given:
        connection.execute(delete(clickers).where(clickers.c.subscriber_id == subscriber_id))
