"""The ledger in SQL: freezes, claims, records and recovers deliveries. Each method is one durable transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    func,
    insert,
    literal,
    select,
    update,
)

from mailer.address import address_key
from mailer.audience.segments import resolved
from mailer.campaigns.campaign import Campaign
from mailer.campaigns.campaign import State as CampaignState
from mailer.campaigns.campaign import move as move_campaign
from mailer.deliveries.delivery import Claimed, Handed, Settlement, State, sources
from mailer.deliveries.ledger import LeaseLost, Run
from mailer.deliveries.pace import COMMON
from mailer.deliveries.process import Process
from mailer.errors import Refused
from mailer.storage import outcomes
from mailer.storage.accounts import Accounts
from mailer.storage.agenda import as_campaign
from mailer.storage.allowances import Allowances
from mailer.storage.audit import record as audit_record
from mailer.storage.campaign_tables import campaigns, deliveries, runs
from mailer.storage.claiming import Claiming
from mailer.storage.register import recipients_of, subscribers
from mailer.storage.register.rules import refuse_untold

_DIED = "the sender stopped after the hand-off, before an answer was recorded"


class SqlLedger(Accounts, Allowances):
    """`deliveries.ledger.Ledger` over a database."""

    def freeze(self, campaign: int, *, language: str, now: datetime, signed_with: str = "") -> int:
        """Fix who gets the campaign, in one INSERT … SELECT; asked again, it changes nothing."""
        with self._database.write() as connection:
            of_campaign = select(campaigns).where(campaigns.c.id == campaign)
            row = connection.execute(self._database.for_update(of_campaign)).one()
            if row.frozen_at is not None:
                return int(row.recipients)
            people = _people(connection, as_campaign(row), language, now)
            names = [column.name for column in people.selected_columns]
            connection.execute(insert(deliveries).from_select(names, people))
            # Counted, not taken from the driver: psycopg does not say how many rows an INSERT … SELECT wrote.
            frozen = select(func.count()).where(deliveries.c.campaign_id == campaign)
            number: int = connection.execute(frozen).scalar_one()
            frozen_now = {"frozen_at": now, "recipients": number, "signed_with": signed_with}
            connection.execute(update(campaigns).where(campaigns.c.id == campaign).values(frozen_now))
            return number

    def begin(self, campaign: int, process: Process, *, lease: timedelta, now: datetime) -> Run:
        """Enter a run, after recovering what dead ones left."""
        with self._database.write() as connection:
            today = self._recover_dead(connection, campaign, now)
            entered = {"campaign_id": campaign, "host": process.host, "pid": process.pid, "started": process.started}
            entered |= {"begun_at": today, "lease_until": today + lease}
            number = connection.execute(insert(runs).values(entered).returning(runs.c.id)).scalar_one()
        return Run(id=number, campaign_id=campaign)

    def _recover_dead(self, connection: Connection, campaign: int, now: datetime) -> datetime:
        """Recover what dead runs of a campaign left; gives the database's time."""
        today = self._database.now(connection)
        open_runs = select(runs).where(runs.c.campaign_id == campaign, runs.c.ended_at.is_(None))
        for row in connection.execute(self._database.for_update(open_runs)).all():
            who = Process(host=row.host, pid=row.pid, started=row.started)
            if row.lease_until < today or who.is_surely_dead():
                _recover(connection, Run(id=row.id, campaign_id=campaign), now)
        return today

    def renew(self, run: Run, lease: timedelta) -> None:
        """Prolong the lease of all that the run holds."""
        with self._database.write() as connection:
            until = self._database.now(connection) + lease
            _demand(connection.execute(update(runs).where(*_is_live(run)).values(lease_until=until)).rowcount)

    def claim(self, run: Run, limit: int, *, now: datetime, lane: str = COMMON) -> list[Claimed]:
        """Take on what is due; who may no longer be written to becomes suppressed in the same transaction."""
        return self._claiming.take(run, limit, now=now, lane=lane)

    @cached_property
    def _claiming(self) -> Claiming:
        return Claiming(self._database)

    def sort(self, campaign: int, domains: Collection[str]) -> None:
        """Put what is pending for these domains in lanes of their own."""
        pending = (deliveries.c.campaign_id == campaign, deliveries.c.state == literal("pending", literal_execute=True))
        elsewhere = (deliveries.c.domain.in_(domains), deliveries.c.lane != deliveries.c.domain)
        with self._database.write() as connection:
            connection.execute(update(deliveries).where(*pending, *elsewhere).values(lane=deliveries.c.domain))

    def record(
        self, run: Run, handed: Sequence[Handed], settled: Sequence[Settlement], *, now: datetime
    ) -> Collection[int]:
        """Write hand-offs and outcomes in one commit; gives those that the run no longer held."""
        return outcomes.write(self._database, run, handed, settled, now=now)

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
            number = connection.execute(once.values(again)).rowcount
            if number:
                keep_open(connection, campaign, who="mailer", now=now)
        return number

    def resolve(self, campaign: int, to: State, *, emails: Sequence[str], who: str, now: datetime) -> int:
        """Settle uncertain deliveries: `sent` accepts them, `pending` sends them again."""
        if to not in {State.SENT, State.PENDING}:
            raise ValueError(f"an uncertain delivery can't be settled as {to}")
        uncertain = [deliveries.c.campaign_id == campaign, deliveries.c.state == State.UNCERTAIN.value]
        wanted = {address_key(email): email for email in emails}
        with self._database.write() as connection:
            found = connection.execute(select(deliveries.c.id, deliveries.c.email).where(*uncertain)).all()
            if wanted:
                keys = {row.id: address_key(row.email) for row in found}
                found = [row for row in found if keys[row.id] in wanted]
                if unknown := sorted(wanted.keys() - keys.values()):
                    names = ", ".join(wanted[key] for key in unknown)
                    raise Refused(f"no uncertain delivery of campaign {campaign} goes to {names}")
            resent = {"due_at": now, "resent_at": now} if to is State.PENDING else {}
            _move(connection, [row.id for row in found], to, now, code=0, **resent)
            for row in found:
                action = "delivery-accepted" if to is State.SENT else "delivery-sent-again"
                audit_record(connection, at=now, who=who, action=action, subject=f"delivery:{row.id}")
            if found and to is State.PENDING:
                keep_open(connection, campaign, who=who, now=now)
        return len(found)


def keep_open(connection: Connection, campaign: int, *, who: str, now: datetime) -> None:
    """Let a campaign send again that was finished before something of it went back into the queue."""
    of_campaign = campaigns.c.id == campaign
    # Changed, not just read: so whoever is finishing it in this moment is waited for (`Agenda.alone`).
    connection.execute(update(campaigns).where(of_campaign).values(state=campaigns.c.state))
    finished = as_campaign(connection.execute(select(campaigns).where(of_campaign)).one())
    if finished.state is CampaignState.FINISHED:
        sending = move_campaign(finished, CampaignState.SENDING)
        connection.execute(update(campaigns).where(of_campaign).values(state=sending.state.value, finished_at=None))
        audit_record(connection, at=now, who=who, action=f"campaign-{sending.state}", subject=f"campaign:{campaign}")


def _people(connection: Connection, campaign: Campaign, language: str, now: datetime) -> Select[Any]:
    """The recipients of a campaign as rows of the ledger."""
    rules = resolved([*campaign.segments, *campaign.excluded], campaign.rules)
    for rule in rules.values():
        refuse_untold(connection, rule)
    chosen = recipients_of(campaign.segments, language, rules=rules, excluded=campaign.excluded)
    fixed = {
        "campaign_id": campaign.id,
        "state": State.PENDING.value,
        "attempts": 0,
        "reply": "",
        "code": 0,
        "status": "",
    }
    fixed |= {"lane": COMMON, "transport": ""}
    at = [literal(now, deliveries.c[name].type).label(name) for name in ("due_at", "updated_at")]
    return chosen.add_columns(subscribers.c.domain, *(literal(value).label(name) for name, value in fixed.items()), *at)


def _is_live(run: Run) -> tuple[Any, ...]:
    return runs.c.id == run.id, runs.c.ended_at.is_(None)


def _demand(found: int) -> None:
    if not found:
        raise LeaseLost


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


def _recover(connection: Connection, run: Run, now: datetime) -> None:
    """Step 6: what a run had claimed goes back; what it had handed is uncertain."""
    doubt: dict[str, Any] = {"state": State.UNCERTAIN.value, "reply": _DIED, "updated_at": now}
    doubt["uncertain_at"] = func.coalesce(deliveries.c.uncertain_at, literal(now, deliveries.c.uncertain_at.type))
    connection.execute(update(deliveries).where(_held_by(run, State.HANDED)).values(doubt))
    back = {"state": State.PENDING.value, "attempts": deliveries.c.attempts - 1, "updated_at": now}
    connection.execute(update(deliveries).where(_held_by(run, State.CLAIMED)).values(back))
    connection.execute(update(runs).where(runs.c.id == run.id).values(ended_at=now))
