"""Step 2 in SQL: a batch of what is due is taken on, and who may no longer be written to becomes suppressed."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, exists, literal, select

from mailer.audience.recipient import Recipient
from mailer.campaigns.campaign import State as CampaignState
from mailer.deliveries.delivery import Claimed, State, sources
from mailer.deliveries.ledger import LeaseLost, Run
from mailer.storage.campaign_tables import campaigns, deliveries
from mailer.storage.database import Database
from mailer.storage.register import is_still_held, may_be_written_to, subscribers
from mailer.storage.swift import Batch, Question, Swift, as_instant

_LEFT: Final = "no longer written to: left, was erased or was suppressed before the message was made"
# Who refused before and is pending again was reprieved: see `deliveries.streak`.
_REFUSAL: Final = 500
_PEOPLE: Final = len(Recipient.__struct_fields__)
# A recipient's fields; then id, attempts, deferred_since, code, domain, and whether the person may be written to.
_ROWS: Final = msgspec.json.Decoder(
    list[tuple[int, str, str, str, str, str, str, str, str, int, int, str | None, int, str, bool | int]]
)
_WANTED: Final = Batch(id="integer")
_TAKE: Final = (
    "UPDATE deliveries SET state = 'claimed', updated_at = ?, run_id = ?, attempts = attempts + 1 "
    "FROM {batch} AS new WHERE deliveries.id = new.id AND (state = 'pending') IS TRUE"  # see `outcomes`
)
_SUPPRESS: Final = (
    "UPDATE deliveries SET state = 'suppressed', updated_at = ?, reply = ? "  # noqa: S608 - our own words
    "FROM {batch} AS new WHERE deliveries.id = new.id "
    f"AND (state IN ({', '.join(repr(state.value) for state in sources(State.SUPPRESSED))})) IS TRUE"
)


class Claiming:
    """Takes on deliveries; only those whose number lies `within` a span, if there is one."""

    def __init__(self, database: Database, within: tuple[int, int] | None = None) -> None:
        self._database = database
        self._within = within

    def take(self, run: Run, limit: int, *, now: datetime, lane: str) -> list[Claimed]:
        """See `Ledger.claim`."""
        at = self._database.stored_instant(now)
        with self._database.swift_write() as transaction:
            if not transaction.held("SELECT id FROM runs WHERE id = ? AND ended_at IS NULL", (run.id,), "runs"):
                raise LeaseLost
            while _is_sending(transaction, run):
                due = _ROWS.decode(
                    transaction.ask(self._due, b_campaign=run.campaign_id, b_lane=lane, b_now=at, b_limit=limit)
                )
                if not due:
                    break
                if gone := [(row[_PEOPLE],) for row in due if not row[-1]]:
                    transaction.change(_SUPPRESS, _WANTED, gone, before=(at, _LEFT))
                if wanted := [row for row in due if row[-1]]:
                    transaction.change(_TAKE, _WANTED, [(row[_PEOPLE],) for row in wanted], before=(at, run.id))
                    return [_claimed(row, run, lane) for row in wanted]
        return []

    @cached_property
    def _due(self) -> Question:
        """What is due of a lane; made once, since it is asked for every hundred messages."""
        people = [deliveries.c[name] for name in Recipient.__struct_fields__]
        others = [deliveries.c[name] for name in ("id", "attempts", "deferred_since", "code", "domain")]
        query = (
            select(*people, *others, _still_wanted().label("may_be_written_to"))
            .where(
                deliveries.c.campaign_id == bindparam("b_campaign", 0),
                deliveries.c.lane == bindparam("b_lane", ""),
                # Spelled out, so that the partial index serves.
                deliveries.c.state == literal("pending", literal_execute=True),
                deliveries.c.due_at <= bindparam("b_now", None),
            )
            .order_by(deliveries.c.due_at, deliveries.c.id)
            .limit(bindparam("b_limit", 0))
        )
        if self._within is not None:
            query = query.where(deliveries.c.id.between(*self._within))
        return self._database.question(self._database.claimable(query, deliveries))


def _still_wanted() -> Any:
    """Whether the subscriber of the delivery at hand may be written to, and is still in its segment."""
    named_with_a_rule = literal('%"') + deliveries.c.segment + literal('":%')  # a key of the JSON object
    is_by_rule = exists().where(campaigns.c.id == deliveries.c.campaign_id, campaigns.c.rules.like(named_with_a_rule))
    held = is_still_held(deliveries.c.segment, is_by_rule.correlate_except(campaigns))
    return exists().where(subscribers.c.id == deliveries.c.subscriber_id, may_be_written_to(), held)


def _is_sending(transaction: Swift, run: Run) -> bool:
    return transaction.rows("SELECT state FROM campaigns WHERE id = ?", (run.campaign_id,)) == [
        (CampaignState.SENDING.value,)
    ]


def _claimed(row: Sequence[Any], run: Run, lane: str) -> Claimed:
    number, attempts, deferred_since, code, domain, _ = row[_PEOPLE:]
    return Claimed(
        id=number,
        campaign_id=run.campaign_id,
        recipient=Recipient(*row[:_PEOPLE]),
        attempts=attempts + 1,
        deferred_since=as_instant(deferred_since) if deferred_since else None,
        refused_before=code >= _REFUSAL,
        domain=domain,
        lane=lane,
    )
