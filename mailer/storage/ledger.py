"""The ledger in SQL: freezes, claims, records and recovers deliveries. Each method is one durable transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from mailer.campaigns.campaign import State as CampaignState
from mailer.deliveries.delivery import Claimed, Settlement, State, sources
from mailer.deliveries.ledger import LeaseLost, Run
from mailer.deliveries.process import Process
from mailer.errors import Refused
from mailer.storage.accounts import Accounts, recipient
from mailer.storage.agenda import as_campaign
from mailer.storage.audit import record as audit_record
from mailer.storage.campaign_tables import campaigns, deliveries, runs
from mailer.storage.register import may_be_written_to, memberships, recipients_of, subscribers

_LEFT = "no longer written to: left, was erased or was suppressed before the message was made"
_DIED = "the sender stopped after the hand-off, before an answer was recorded"
# Who refused before and is pending again was reprieved: see `deliveries.streak`.
_REFUSAL = 500


class SqlLedger(Accounts):
    """`deliveries.ledger.Ledger` over a database."""

    def freeze(self, campaign: int, *, language: str, now: datetime) -> int:
        """Fix who gets the campaign, in one INSERT … SELECT; asked again, it changes nothing."""
        with self._database.write() as connection:
            of_campaign = select(campaigns).where(campaigns.c.id == campaign)
            row = connection.execute(self._database.for_update(of_campaign)).one()
            if row.frozen_at is not None:
                return int(row.recipients)
            people = _people(campaign, as_campaign(row).segments, language, now)
            names = [column.name for column in people.selected_columns]
            connection.execute(insert(deliveries).from_select(names, people))
            # Counted, not taken from the driver: psycopg does not say how many rows an INSERT … SELECT wrote.
            frozen = select(func.count()).where(deliveries.c.campaign_id == campaign)
            number: int = connection.execute(frozen).scalar_one()
            connection.execute(
                update(campaigns).where(campaigns.c.id == campaign).values(frozen_at=now, recipients=number)
            )
            return number

    def begin(self, campaign: int, process: Process, *, lease: timedelta, now: datetime) -> Run:
        """Enter a run, after recovering what dead ones left."""
        with self._database.write() as connection:
            today = self._database.now(connection)
            open_runs = select(runs).where(runs.c.campaign_id == campaign, runs.c.ended_at.is_(None))
            for row in connection.execute(self._database.for_update(open_runs)).all():
                who = Process(host=row.host, pid=row.pid, started=row.started)
                if row.lease_until < today or who.is_surely_dead():
                    _recover(connection, Run(id=row.id, campaign_id=campaign), now)
            entered = {"campaign_id": campaign, "host": process.host, "pid": process.pid, "started": process.started}
            entered |= {"begun_at": today, "lease_until": today + lease}
            number = connection.execute(insert(runs).values(entered).returning(runs.c.id)).scalar_one()
        return Run(id=number, campaign_id=campaign)

    def renew(self, run: Run, lease: timedelta) -> None:
        """Prolong the lease of all that the run holds."""
        with self._database.write() as connection:
            until = self._database.now(connection) + lease
            _demand(connection.execute(update(runs).where(*_is_live(run)).values(lease_until=until)).rowcount)

    def claim(self, run: Run, limit: int, *, now: datetime) -> list[Claimed]:
        """Take on what is due; who may no longer be written to becomes suppressed in the same transaction."""
        with self._database.write() as connection:
            is_live = select(runs.c.id).where(*_is_live(run))
            _demand(len(connection.execute(self._database.for_update(is_live)).all()))
            while _is_sending(connection, run) and (due := connection.execute(self._due(run, limit, now)).all()):
                if gone := [row.id for row in due if not row.may_be_written_to]:
                    _move(connection, gone, State.SUPPRESSED, now, reply=_LEFT)
                if wanted := [row for row in due if row.may_be_written_to]:
                    taken = [row.id for row in wanted]
                    once_more = deliveries.c.attempts + 1
                    _move(connection, taken, State.CLAIMED, now, run_id=run.id, attempts=once_more)
                    return [_claimed(row) for row in wanted]
            return []

    def _due(self, run: Run, limit: int, now: datetime) -> Select[Any]:
        query = (
            select(deliveries, _still_wanted().label("may_be_written_to"))
            .where(
                deliveries.c.campaign_id == run.campaign_id,
                # Spelled out, so that the partial index serves.
                deliveries.c.state == literal("pending", literal_execute=True),
                deliveries.c.due_at <= now,
            )
            .order_by(deliveries.c.due_at, deliveries.c.id)
            .limit(limit)
        )
        return self._database.claimable(query, deliveries)

    def record(
        self, run: Run, handed: Sequence[int], settled: Sequence[Settlement], *, now: datetime
    ) -> Collection[int]:
        """Write hand-offs and outcomes in one commit; gives those that the run no longer held."""
        lost: set[int] = set()
        with self._database.write() as connection:
            # Outcomes first: none of them can be about a hand-off of the same batch, its sender still waits for it.
            # And what goes back last of them: it may have been refused in this very batch.
            for state in sorted({settlement.state for settlement in settled}, key=State.PENDING.__eq__):
                lost |= _settle(connection, run, state, [one for one in settled if one.state is state], now)
            if handed:
                lost |= _hand_off(connection, run, handed, now)
        return lost

    def release(self, run: Run, claimed: Sequence[int]) -> None:
        """Give claimed deliveries back, untried."""
        with self._database.write() as connection:
            untried = {"state": State.PENDING.value, "attempts": deliveries.c.attempts - 1}
            connection.execute(
                update(deliveries).where(_held_by(run, State.CLAIMED), deliveries.c.id.in_(claimed)).values(untried)
            )

    def end(self, run: Run, *, now: datetime) -> None:
        """Close the run: what it still holds is recovered as if it had died."""
        with self._database.write() as connection:
            _recover(connection, run, now)

    def resend_uncertain(self, campaign: int, *, due_at: datetime, now: datetime) -> int:
        """Put what is uncertain for the first time back in the queue; it stays marked by `uncertain_at`."""
        uncertain = (deliveries.c.campaign_id == campaign, deliveries.c.state == State.UNCERTAIN.value)
        again = {"state": State.PENDING.value, "due_at": due_at, "resent_at": now, "updated_at": now, "code": 0}
        with self._database.write() as connection:
            once = update(deliveries).where(*uncertain, deliveries.c.resent_at.is_(None))
            return connection.execute(once.values(again)).rowcount

    def resolve(self, campaign: int, to: State, *, emails: Sequence[str], who: str, now: datetime) -> int:
        """Settle uncertain deliveries: `sent` accepts them, `pending` sends them again."""
        if to not in {State.SENT, State.PENDING}:
            raise ValueError(f"an uncertain delivery can't be settled as {to}")
        uncertain = [deliveries.c.campaign_id == campaign, deliveries.c.state == State.UNCERTAIN.value]
        if emails:
            uncertain.append(deliveries.c.email.in_(emails))
        with self._database.write() as connection:
            found = connection.execute(select(deliveries.c.id, deliveries.c.email).where(*uncertain)).all()
            if unknown := sorted(set(emails) - {row.email for row in found}):
                raise Refused(f"no uncertain delivery of campaign {campaign} goes to {', '.join(unknown)}")
            resent = {"due_at": now, "resent_at": now} if to is State.PENDING else {}
            _move(connection, [row.id for row in found], to, now, code=0, **resent)
            for row in found:
                action = "delivery-accepted" if to is State.SENT else "delivery-sent-again"
                audit_record(connection, at=now, who=who, action=action, subject=f"delivery:{row.id}")
        return len(found)


def _people(campaign: int, segments: Sequence[str], language: str, now: datetime) -> Select[Any]:
    """The recipients of a campaign as rows of the ledger."""
    fixed = {"campaign_id": campaign, "state": State.PENDING.value, "attempts": 0, "reply": "", "code": 0, "status": ""}
    at = [literal(now, deliveries.c[name].type).label(name) for name in ("due_at", "updated_at")]
    return recipients_of(segments, language).add_columns(
        *(literal(value).label(name) for name, value in fixed.items()), *at
    )


def _still_wanted() -> Any:
    """Whether the subscriber of the delivery at hand may be written to, and is still in its segment."""
    joined = exists().where(
        memberships.c.subscriber_id == subscribers.c.id,
        memberships.c.segment == deliveries.c.segment,
        memberships.c.state == "joined",
    )
    return exists().where(subscribers.c.id == deliveries.c.subscriber_id, may_be_written_to(), joined)


def _is_live(run: Run) -> tuple[Any, ...]:
    return runs.c.id == run.id, runs.c.ended_at.is_(None)


def _demand(found: int) -> None:
    if not found:
        raise LeaseLost("this sender was taken for dead and another took over; it stops here")


def _is_sending(connection: Connection, run: Run) -> bool:
    state = connection.scalar(select(campaigns.c.state).where(campaigns.c.id == run.campaign_id))
    return bool(state == CampaignState.SENDING.value)


def _held_by(run: Run, *states: State) -> Any:
    # The campaign is named for the index: runs have none of their own.
    of_run = and_(deliveries.c.campaign_id == run.campaign_id, deliveries.c.run_id == run.id)
    return and_(of_run, deliveries.c.state.in_([state.value for state in states]))


def _move(connection: Connection, ids: Sequence[int], to: State, now: datetime, **values: Any) -> None:
    """Move rows that this transaction has locked."""
    before = [state.value for state in sources(to)]
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(ids), deliveries.c.state.in_(before))
        .values(state=to.value, updated_at=now, **values)
    )


def _hand_off(connection: Connection, run: Run, handed: Sequence[int], now: datetime) -> set[int]:
    # A commit whose answer was lost is written once more: what is handed already counts as done.
    mine = _held_by(run, State.CLAIMED, State.HANDED)
    statement = (
        update(deliveries)
        .where(deliveries.c.id.in_(handed), mine)
        .values(state=State.HANDED.value, updated_at=now)
        .returning(deliveries.c.id)
    )
    return set(handed) - set(connection.scalars(statement))


def _settle(connection: Connection, run: Run, state: State, settled: Sequence[Settlement], now: datetime) -> set[int]:
    result = connection.execute(_SETTLE[state], [_bound(run, settlement, now) for settlement in settled])
    if result.rowcount == len(settled):
        return set()
    # A batch written a second time finds its own outcomes there already.
    wanted = [settlement.id for settlement in settled]
    done = select(deliveries.c.id).where(
        deliveries.c.id.in_(wanted), _held_by(run, state), deliveries.c.updated_at == now
    )
    return set(wanted) - set(connection.scalars(done))


def _bound(run: Run, settlement: Settlement, now: datetime) -> dict[str, Any]:
    return {
        "b_id": settlement.id,
        "b_run": run.id,
        "b_reply": settlement.reply,
        "b_code": settlement.code,
        "b_status": settlement.status,
        "b_due_at": settlement.due_at,
        "b_deferred": 1 if settlement.deferred else 0,
        "b_now": now,
    }


def _settlement(state: State) -> Any:
    """The UPDATE that brings a delivery to its outcome, if the run holds it and the move is legal."""
    now = bindparam("b_now", type_=deliveries.c.updated_at.type)
    values: dict[str, Any] = {
        "state": state.value,
        "reply": bindparam("b_reply"),
        "code": bindparam("b_code"),
        "status": bindparam("b_status"),
        "updated_at": now,
    }
    if state is State.PENDING:
        since = func.coalesce(deliveries.c.deferred_since, now)
        values["due_at"] = bindparam("b_due_at", type_=deliveries.c.due_at.type)
        values["deferred_since"] = case((bindparam("b_deferred") == 1, since), else_=deliveries.c.deferred_since)
    if state is State.UNCERTAIN:
        values["uncertain_at"] = func.coalesce(deliveries.c.uncertain_at, now)
    # An uncertain delivery is settled by a person or the policy, never by a run that comes late.
    # Spelled with OR: an executemany takes no IN.
    before = [deliveries.c.state == source.value for source in sources(state) if source is not State.UNCERTAIN]
    return (
        update(deliveries)
        .where(
            deliveries.c.id == bindparam("b_id"),
            deliveries.c.run_id == bindparam("b_run"),
            or_(*before),
        )
        .values(values)
    )


_SETTLE = {
    state: _settlement(state)
    for state in (State.PENDING, State.SENT, State.REFUSED, State.UNDELIVERABLE, State.UNCERTAIN)
}


def _recover(connection: Connection, run: Run, now: datetime) -> None:
    """Step 6: what a run had claimed goes back; what it had handed is uncertain."""
    doubt: dict[str, Any] = {"state": State.UNCERTAIN.value, "reply": _DIED, "updated_at": now}
    doubt["uncertain_at"] = func.coalesce(deliveries.c.uncertain_at, literal(now, deliveries.c.uncertain_at.type))
    connection.execute(update(deliveries).where(_held_by(run, State.HANDED)).values(doubt))
    back = {"state": State.PENDING.value, "attempts": deliveries.c.attempts - 1, "updated_at": now}
    connection.execute(update(deliveries).where(_held_by(run, State.CLAIMED)).values(back))
    connection.execute(update(runs).where(runs.c.id == run.id).values(ended_at=now))


def _claimed(row: Row[Any]) -> Claimed:
    return Claimed(
        id=row.id,
        campaign_id=row.campaign_id,
        recipient=recipient(row),
        attempts=row.attempts + 1,
        deferred_since=row.deferred_since,
        refused_before=row.code >= _REFUSAL,
    )
