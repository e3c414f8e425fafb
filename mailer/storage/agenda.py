"""The agenda in SQL: campaigns, approvals and fires."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from mailer.campaigns.approval import Approval
from mailer.campaigns.campaign import Campaign, State
from mailer.errors import Refused
from mailer.storage.audit import record
from mailer.storage.campaign_tables import approvals, campaigns, fires
from mailer.storage.database import Database

_KEPT_AS_JSON: Final[dict[str, Any]] = {
    "segments": tuple[str, ...],
    "rules": dict[str, str],
    "excluded": tuple[str, ...],
}


class SqlAgenda:
    """`campaigns.agenda.Agenda` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: ContextVar[Connection | None] = ContextVar("open", default=None)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A span in which nobody else opens or moves a campaign."""
        with self._write() as connection:
            self._database.lock_table(connection, campaigns)
            token = self._open.set(connection)
            try:
                yield
            finally:
                self._open.reset(token)

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        if joined := self._open.get():
            yield joined
            return
        with self._database.write() as connection:
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        if joined := self._open.get():
            yield joined
            return
        with self._database.read() as connection:
            yield connection

    def add(self, campaign: Campaign) -> Campaign:
        """Write a new campaign down; it comes back with its number."""
        with self._write() as connection:
            written = insert(campaigns).values(_columns(campaign)).returning(campaigns.c.id)
            number = connection.execute(written).scalar_one()
            record(
                connection,
                at=campaign.created_at,
                who=campaign.created_by,
                action="campaign-opened",
                subject=f"campaign:{number}",
                detail=f"{campaign.issue}: {', '.join(campaign.segments)}",
            )
        return msgspec.structs.replace(campaign, id=number)

    def get(self, campaign: int) -> Campaign:
        """The campaign of that number; refused if there is none."""
        with self._read() as connection:
            row = connection.execute(select(campaigns).where(campaigns.c.id == campaign)).one_or_none()
        if row is None:
            raise Refused(f"there is no campaign {campaign}; `mailer campaigns list` names them")
        return as_campaign(row)

    def campaigns(self, issue: str | None = None) -> list[Campaign]:
        """All campaigns, or those of one issue, oldest first."""
        query = select(campaigns).order_by(campaigns.c.id)
        if issue is not None:
            query = query.where(campaigns.c.issue == issue)
        with self._read() as connection:
            return [as_campaign(row) for row in connection.execute(query)]

    def save(self, before: Campaign, after: Campaign, *, who: str, at: datetime) -> Campaign:
        """Write a move down, with who made it; refused if somebody else moved the campaign meanwhile."""
        still = (campaigns.c.id == before.id, campaigns.c.state == before.state)
        moved = {name: _columns(after)[name] for name in ("state", "reason", "scheduled_at", "finished_at")}
        with self._write() as connection:
            if connection.execute(update(campaigns).where(*still).values(moved)).rowcount != 1:
                raise Refused(
                    f"campaign {before.id} was moved by somebody else a moment ago; "
                    f"look at `mailer campaigns show {before.id}` and order it again"
                )
            record(
                connection,
                at=at,
                who=who,
                action=f"campaign-{after.state}",
                subject=f"campaign:{before.id}",
                detail=after.reason,
            )
        return after

    def approve(self, approval: Approval) -> None:
        """Keep a sign-off."""
        with self._write() as connection:
            connection.execute(insert(approvals).values(msgspec.structs.asdict(approval)))

    def approval(self, issue: str) -> Approval | None:
        """The latest sign-off of an issue."""
        query = select(approvals).where(approvals.c.issue == issue).order_by(approvals.c.id.desc()).limit(1)
        with self._read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Approval(issue=row.issue, content_hash=row.content_hash, by=row.by, at=row.at)

    def fire(self, schedule: str, at: datetime, *, now: datetime) -> bool:
        """Note that a schedule fired for the instant `at`; false if that was noted before."""
        row = {"schedule": schedule, "at": at, "noted_at": now}
        with self._write() as connection:
            statement = self._database.insert(fires).values(row).on_conflict_do_nothing()
            return bool(connection.execute(statement).rowcount == 1)

    def fires(self, schedule: str) -> Iterator[datetime]:
        """The instants a schedule fired for, oldest first."""
        with self._read() as connection:
            yield from connection.scalars(select(fires.c.at).where(fires.c.schedule == schedule).order_by(fires.c.at))


def _columns(campaign: Campaign) -> dict[str, Any]:
    columns = msgspec.structs.asdict(campaign)
    del columns["id"]
    for name in _KEPT_AS_JSON:
        columns[name] = msgspec.json.encode(columns[name]).decode()
    columns["state"] = str(campaign.state)
    return columns


def as_campaign(row: Row[Any]) -> Campaign:
    """A row of `campaigns` as the value."""
    read = {name: msgspec.json.decode(getattr(row, name), type=kind) for name, kind in _KEPT_AS_JSON.items()}
    return Campaign(**(row._asdict() | read | {"state": State(row.state)}))
