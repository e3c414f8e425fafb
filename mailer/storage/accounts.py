"""What the ledger says: sums and lists, each from one read, streamed where they may be long."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import Row, Select, Subquery, and_, func, literal, select, true, union_all

from mailer.audience.recipient import Recipient
from mailer.audience.segments import resolved
from mailer.campaigns.account import Account
from mailer.campaigns.campaign import State as CampaignState
from mailer.deliveries.delivery import OPEN, Delivery, State
from mailer.storage.campaign_tables import campaigns, deliveries
from mailer.storage.cluster_tables import archived_sums
from mailer.storage.database import Database
from mailer.storage.feedback import standings
from mailer.storage.register import recipients_of
from mailer.storage.register.rules import refuse_untold

_PAGE = 1_000
_LINES = select(deliveries, standings.c.happening).outerjoin(
    standings,
    and_(
        standings.c.campaign_id == deliveries.c.campaign_id,
        standings.c.subscriber_id == deliveries.c.subscriber_id,
    ),
)


class Accounts:
    """The reading half of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def account(self, campaign: int) -> Account:
        """The sums, from one read: what the freeze counted, and the states as they are now."""
        sums = _sums(campaign)
        of_campaign = (
            select(campaigns.c.recipients, sums.c.state, func.sum(sums.c.number).label("number"))
            .select_from(campaigns)
            .outerjoin(sums, true())
            .where(campaigns.c.id == campaign)
            .group_by(campaigns.c.recipients, sums.c.state)
        )
        with self._database.read() as connection:
            rows = connection.execute(of_campaign).all()
        frozen = rows[0].recipients if rows else 0
        return _account({row.state: int(row.number) for row in rows if row.state is not None}, frozen)

    def accounts(self, campaign: int) -> dict[str, Account]:
        """The sums of each segment in alphabetical order, and under no name those of all; from one read."""
        sums = _sums(campaign)
        query = (
            select(campaigns.c.recipients, sums.c.segment, sums.c.state, sums.c.number)
            .select_from(campaigns)
            .outerjoin(sums, true())
            .where(campaigns.c.id == campaign)
            .order_by(sums.c.segment)
        )
        by_segment: dict[str, Counter[str]] = {}
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        for _, segment, state, number in rows:
            if segment is not None:
                by_segment.setdefault(segment, Counter())[state] += number
        frozen = rows[0].recipients if rows else 0
        found = {segment: _account(numbers, numbers.total()) for segment, numbers in by_segment.items()}
        return found | {"": _account(sum(by_segment.values(), Counter()), frozen)}

    def forecast(
        self, segments: Sequence[str], *, rules: Mapping[str, str] = MappingProxyType({}), excluded: Sequence[str] = ()
    ) -> dict[str, int]:
        """How many a freeze of these segments would count now, by segment."""
        by_rule = resolved([*segments, *excluded], rules)
        with self._database.read() as connection:
            for rule in by_rule.values():
                refuse_untold(connection, rule)
        people = recipients_of(segments, "", rules=by_rule, excluded=excluded).order_by(None).subquery()
        query = select(people.c.segment, func.count()).group_by(people.c.segment)
        with self._database.read() as connection:
            return dict(connection.execute(query).tuples().all())

    def campaign_state(self, campaign: int) -> CampaignState:
        """Where the campaign stands now."""
        with self._database.read() as connection:
            state: str = connection.execute(select(campaigns.c.state).where(campaigns.c.id == campaign)).scalar_one()
        return CampaignState(state)

    def next_due(self, campaign: int) -> datetime | None:
        """When the next pending delivery is due; None if none is pending."""
        return min(self.lanes(campaign).values(), default=None)

    def sent_since(self, campaign: int, since: datetime) -> int:
        """How many messages of a campaign were sent since an instant, by whomever."""
        sent = (deliveries.c.campaign_id == campaign, deliveries.c.state == State.SENT.value)
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).where(*sent, deliveries.c.updated_at >= since)) or 0

    def lanes(self, campaign: int) -> dict[str, datetime]:
        """The lanes in which something is pending, each with the instant when its next one is due."""
        # Skips from lane to lane along the index: what it costs depends on the number of lanes, not of deliveries.
        pending = (deliveries.c.campaign_id == campaign, deliveries.c.state == literal("pending", literal_execute=True))
        first = select(deliveries.c.lane, deliveries.c.due_at).order_by(deliveries.c.lane, deliveries.c.due_at).limit(1)
        found: dict[str, datetime] = {}
        with self._database.read() as connection:
            row = connection.execute(first.where(*pending)).first()
            while row is not None:
                found[row.lane] = row.due_at
                row = connection.execute(first.where(*pending, deliveries.c.lane > row.lane)).first()
        return found

    def deliveries(self, campaign: int, state: State | None = None) -> Iterator[Delivery]:
        """Stream the deliveries of a campaign, in the order of the freeze."""
        query = _LINES.where(deliveries.c.campaign_id == campaign)
        return self._stream(query if state is None else query.where(deliveries.c.state == state.value))

    def feedback(self, campaign: int) -> dict[str, int]:
        """How many deliveries of a campaign are known by each thing that came back."""
        query = select(standings.c.happening, func.count()).where(standings.c.campaign_id == campaign)
        with self._database.read() as connection:
            found = connection.execute(query.group_by(standings.c.happening).order_by(standings.c.happening))
            return {str(happening): int(number) for happening, number in found}

    def doubtful(self, campaign: int) -> Iterator[Delivery]:
        """Stream what is or was ever uncertain."""
        of_campaign = deliveries.c.campaign_id == campaign
        return self._stream(_LINES.where(and_(of_campaign, deliveries.c.uncertain_at.is_not(None))))

    def _stream(self, query: Select[Any]) -> Iterator[Delivery]:
        # Page by page: no read stays open while a person pages through the lines, so writers are never kept waiting.
        last = 0
        while True:
            page = query.where(deliveries.c.id > last).order_by(deliveries.c.id).limit(_PAGE)
            with self._database.read() as connection:
                rows = connection.execute(page).all()
            if not rows:
                return
            yield from map(_delivery, rows)
            last = rows[-1].id


def _sums(campaign: int) -> Subquery:
    """How many of each segment are in each state: those in the ledger, and those that were put away in a file."""
    of_campaign = deliveries.c.campaign_id == campaign
    by = deliveries.c.segment, deliveries.c.state
    counted = select(*by, func.count().label("number")).where(of_campaign).group_by(*by)
    kept = select(archived_sums.c.segment, archived_sums.c.state, archived_sums.c.number)
    return union_all(counted, kept.where(archived_sums.c.campaign_id == campaign)).subquery()


def recipient(row: Row[Any]) -> Recipient:
    """The recipient as the freeze wrote them down."""
    return Recipient(
        subscriber_id=row.subscriber_id,
        email=row.email,
        segment=row.segment,
        language=row.language,
        name=row.name,
        honorific=row.honorific,
        position=row.position,
        institution=row.institution,
        country=row.country,
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        campaign_id=row.campaign_id,
        recipient=recipient(row),
        state=State(row.state),
        attempts=row.attempts,
        reply=row.reply,
        code=row.code,
        status=row.status,
        updated_at=row.updated_at,
        due_at=row.due_at,
        uncertain_at=row.uncertain_at,
        transport=row.transport,
        feedback=row.happening or "",
    )


def _account(numbers: Mapping[str, int], frozen: int) -> Account:
    closed = {str(state): numbers.get(state, 0) for state in State if state not in OPEN}
    pending = sum(numbers.get(state, 0) for state in OPEN)
    return msgspec.convert({"recipients": frozen, "pending": pending, **closed}, Account)
