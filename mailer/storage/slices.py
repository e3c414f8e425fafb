"""
The ledger as it is shared by several machines, and as one of them holds a part of it: slices of a campaign.

A slice is a span of a campaign's deliveries. It says who should send them, and nothing more: what was claimed, handed
and sent stands in the ledger, and a slice that is held twice is sent once.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import case, func, literal, or_, select, update

from mailer.deliveries.delivery import OPEN, Claimed, Handed, Settlement, State
from mailer.deliveries.ledger import Run
from mailer.deliveries.pace import COMMON
from mailer.deliveries.rate import Grant, Rate
from mailer.storage.campaign_tables import deliveries
from mailer.storage.claiming import Claiming
from mailer.storage.database import Database
from mailer.storage.ledger import SqlLedger, keep_open

_PENDING = deliveries.c.state == literal("pending", literal_execute=True)


class Slice(msgspec.Struct, frozen=True):
    """Those of the deliveries `first` to `last` of a campaign that wait in one lane."""

    campaign: int
    first: int
    last: int
    lane: str = COMMON


class Left(msgspec.Struct, frozen=True):
    """What is left of a slice: when the next is due that waits, and how many others are at work on."""

    due_at: datetime | None
    in_hand: int


class SharedLedger(SqlLedger):
    """The ledger of several machines: leave to send is reckoned in the database's time, whatever their clocks say."""

    def grant(self, scope: str, rate: Rate, wanted: int, *, now: datetime) -> Grant:
        """See `Ledger.grant`; the instant comes back in the caller's time."""
        with self._database.read() as connection:
            there = self._database.now(connection)
        granted = super().grant(scope, rate, wanted, now=there)
        return msgspec.structs.replace(granted, at=granted.at + (now - there))

    def recover(self, campaign: int, *, now: datetime) -> None:
        """Recover what dead runs of a campaign left: claimed becomes pending, handed becomes uncertain."""
        with self._database.write() as connection:
            self._recover_dead(connection, campaign, now)

    def cut(
        self, campaign: int, lane: str, spans: Sequence[tuple[int, int]], *, size: int, most: int, now: datetime
    ) -> list[Slice]:
        """Cut what is due in a lane, within these spans, into slices, the earliest first."""
        within = or_(*(deliveries.c.id.between(first, last) for first, last in spans))
        due = (
            select(deliveries.c.id, ((func.row_number().over(order_by=deliveries.c.id) - 1) // size).label("part"))
            .where(deliveries.c.campaign_id == campaign, deliveries.c.lane == lane, _PENDING, within)
            .where(deliveries.c.due_at <= now)
            .order_by(deliveries.c.id)
            .limit(size * most)
            .subquery()
        )
        cut = select(func.min(due.c.id), func.max(due.c.id)).group_by(due.c.part).order_by(due.c.part)
        with self._database.read() as connection:
            return [Slice(campaign, first, last, lane) for first, last in connection.execute(cut)]

    def left(self, part: Slice) -> Left:
        """What is left of a slice, whoever works on it."""
        waiting = case((deliveries.c.state == State.PENDING.value, deliveries.c.due_at))
        in_hand = case((deliveries.c.state != State.PENDING.value, 1))
        query = select(func.min(waiting), func.count(in_hand)).where(
            *_within(part), deliveries.c.state.in_([state.value for state in OPEN])
        )
        with self._database.read() as connection:
            due_at, number = connection.execute(query).one()
        return Left(due_at, number)


class _InHand:
    """A slice that is held here, and what this process has claimed of it and not settled."""

    def __init__(self, part: Slice, ledger: "_OfSlice", when_idle: Callable[[], None]) -> None:
        self.part = part
        self.ledger = ledger
        self.when_idle = when_idle
        self.claimed: set[int] = set()
        self.is_dry = False  # a claim found nothing more

    def look(self) -> None:
        """Say so if nothing of it can be done for now."""
        if self.is_dry and not self.claimed:
            self.when_idle()


class HeldLedger(SharedLedger):
    """
    `deliveries.ledger.Ledger` as one sending process sees it: it claims from the slices in its hands alone.

    Slices come and go while a campaign is sent. A slice is idle when a claim found nothing more in it and all that was
    claimed of it is settled.
    """

    def __init__(self, database: Database, *, sorted_out: Collection[str] = ()) -> None:
        super().__init__(database)
        self._sorted_out = frozenset(sorted_out)
        self._hands: dict[Slice, _InHand] = {}

    def take(self, part: Slice, when_idle: Callable[[], None]) -> None:
        """Hold a slice from now on; `when_idle` is called from any thread, perhaps more than once."""
        self._hands[part] = _InHand(part, _OfSlice(self._database, part), when_idle)

    def let_go(self, part: Slice) -> None:
        """Claim no more of a slice."""
        self._hands.pop(part, None)

    def _held(self) -> list[_InHand]:
        return list(self._hands.values())  # the loop takes and lets go while the writer's thread reads

    def claim(self, run: Run, limit: int, *, now: datetime, lane: str = COMMON) -> list[Claimed]:
        """See `Ledger.claim`; one slice after the other."""
        found: list[Claimed] = []
        for held in self._held():
            if len(found) < limit and held.part.lane == lane and not held.is_dry:
                wanted = limit - len(found)
                part = held.ledger.claim(run, wanted, now=now, lane=lane)
                held.claimed.update(claimed.id for claimed in part)
                if len(part) < wanted:
                    held.is_dry = True
                    held.look()
                found += part
        return found

    def record(
        self, run: Run, handed: Sequence[Handed], settled: Sequence[Settlement], *, now: datetime
    ) -> Collection[int]:
        """See `Ledger.record`."""
        lost = super().record(run, handed, settled, now=now)
        self._done(one.id for one in settled)
        return lost

    def release(self, run: Run, claimed: Sequence[int]) -> None:
        """See `Ledger.release`."""
        super().release(run, claimed)
        self._done(claimed)

    def _done(self, ids: Iterable[int]) -> None:
        done = set(ids)
        for held in self._held():
            if not held.claimed.isdisjoint(done):
                held.claimed -= done
                held.look()

    def lanes(self, campaign: int) -> dict[str, datetime]:  # noqa: ARG002 - all that is in hand is of one campaign
        """See `Ledger.lanes`; of the slices in hand."""
        found: dict[str, datetime] = {}
        for held in self._held():
            held.is_dry = False  # a new round: what was given back meanwhile is to be found
            with self._database.read() as connection:
                due_at = connection.scalar(select(func.min(deliveries.c.due_at)).where(*_within(held.part), _PENDING))
            if due_at is not None:
                found[held.part.lane] = min(due_at, found.get(held.part.lane, due_at))
        return found

    def sort(self, campaign: int, domains: Collection[str]) -> None:
        """See `Ledger.sort`; who cut the slices has sorted out what the config names."""
        if not self._sorted_out.issuperset(domains):
            super().sort(campaign, domains)

    def resend_uncertain(self, campaign: int, *, due_at: datetime, now: datetime) -> int:
        """See `Ledger.resend_uncertain`; of the slices in hand."""
        again = {"state": State.PENDING.value, "due_at": due_at, "resent_at": now, "updated_at": now, "code": 0}
        number = 0
        for held in self._held():
            once = (deliveries.c.state == State.UNCERTAIN.value, deliveries.c.resent_at.is_(None))
            with self._database.write() as connection:
                of_slice = update(deliveries).where(*_within(held.part), *once)
                put_back = connection.execute(of_slice.values(again)).rowcount
                if put_back:
                    keep_open(connection, campaign, who="mailer", now=now)
            number += put_back
        return number


class _OfSlice(SqlLedger):
    """The ledger, of which only one slice can be claimed."""

    def __init__(self, database: Database, part: Slice) -> None:
        super().__init__(database)
        self._part = part

    @cached_property
    def _claiming(self) -> Claiming:
        return Claiming(self._database, within=(self._part.first, self._part.last))


def _within(part: Slice) -> tuple[Any, ...]:
    span = deliveries.c.id.between(part.first, part.last)
    return deliveries.c.campaign_id == part.campaign, deliveries.c.lane == part.lane, span
