"""
Puts the deliveries of campaigns that are long over away into compressed files, and keeps their sums.

The file is whole and on the disk before a row is deleted, and the rows go in the same transaction that keeps the sums:
an account that reconciled before does so after. A line names its person by the register's number alone, so whoever is
erased there is nobody here, on whatever disk the file lies by then.
"""

import gzip
import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, func, insert, literal, select

from mailer.campaigns.campaign import Campaign, State
from mailer.deliveries.delivery import State as DeliveryState
from mailer.errors import OperatorError, Refused
from mailer.storage.agenda import as_campaign
from mailer.storage.campaign_tables import campaigns, deliveries
from mailer.storage.cluster_tables import archived_sums, archives
from mailer.storage.database import Database
from mailer.storage.rights import PERSONAL

_OVER: Final = (State.FINISHED.value, State.CANCELLED.value)
_PAGE: Final = 5_000


class Archived(msgspec.Struct, frozen=True):
    """One campaign that was put away: its deliveries are the lines of `file`, whose SHA-256 is kept."""

    campaign: int
    issue: str
    deliveries: int
    file: str
    sha256: str


class Archive:
    """The ledger's cellar: a folder of `.jsonl.gz`, one a campaign."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def ripe(self, before: datetime) -> list[Campaign]:
        """Campaigns that were over before an instant and are not put away, of which nothing waits for a person."""
        uncertain = select(literal(1)).where(
            deliveries.c.campaign_id == campaigns.c.id, deliveries.c.state == DeliveryState.UNCERTAIN.value
        )
        ended = func.coalesce(campaigns.c.finished_at, campaigns.c.frozen_at)
        query = (
            select(campaigns)
            .outerjoin(archives, archives.c.campaign_id == campaigns.c.id)
            .where(campaigns.c.state.in_(_OVER), ended < before, archives.c.campaign_id.is_(None))
            .where(~uncertain.exists())
            .order_by(campaigns.c.id)
        )
        with self._database.read() as connection:
            return [as_campaign(row) for row in connection.execute(query)]

    def put_away(self, campaign: Campaign, *, now: datetime) -> Archived:
        """
        Write a campaign's deliveries to their file, then keep their sums and delete them.

        Raises:
            Refused: The campaign is not over, or its sums don't reconcile.
            OperatorError: The file can't be written.

        """
        path = self._folder / f"campaign-{campaign.id}-{campaign.issue}.jsonl.gz"
        written, digest = self._write(campaign.id, path)
        with self._database.write() as connection:
            of_campaign = select(campaigns).where(campaigns.c.id == campaign.id)
            current = as_campaign(connection.execute(self._database.for_update(of_campaign)).one())
            sums = _sums(connection, campaign.id)
            counted = sum(row["number"] for row in sums)
            if current.state.value not in _OVER or not counted == written == current.recipients:
                raise Refused(f"campaign {campaign.id} was moved meanwhile or doesn't reconcile; it stays where it is")
            if sums:
                connection.execute(insert(archived_sums), sums)
            kept = {"campaign_id": campaign.id, "file": path.name, "sha256": digest}
            connection.execute(insert(archives).values(kept | {"deliveries": written, "archived_at": now}))
            connection.execute(delete(deliveries).where(deliveries.c.campaign_id == campaign.id))
        return Archived(campaign.id, campaign.issue, written, str(path), digest)

    def _write(self, campaign: int, path: Path) -> tuple[int, str]:
        """Write the file whole, or not at all; gives its number of lines and its hash."""
        part = path.with_suffix(".part")
        number = 0
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as raw:
                with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as file:
                    for line in self._lines(campaign):
                        file.write(msgspec.json.encode(line) + b"\n")
                        number += 1
                raw.flush()
                os.fsync(raw.fileno())
            digest = hashlib.sha256(part.read_bytes()).hexdigest()
            part.replace(path)
        except OSError as problem:
            raise OperatorError(f"{path} can't be written ({problem.strerror}); nothing was deleted") from problem
        return number, digest

    def _lines(self, campaign: int) -> Iterator[dict[str, Any]]:
        last, kept = 0, [column for column in deliveries.c if column.name not in PERSONAL]
        while True:
            page = select(*kept).where(deliveries.c.campaign_id == campaign, deliveries.c.id > last)
            with self._database.read() as connection:
                rows = connection.execute(page.order_by(deliveries.c.id).limit(_PAGE)).all()
            if not rows:
                return
            yield from (dict(row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's public name for it
            last = rows[-1].id


def _sums(connection: Connection, campaign: int) -> list[dict[str, Any]]:
    counted = select(
        deliveries.c.campaign_id, deliveries.c.segment, deliveries.c.state, func.count().label("number")
    ).where(deliveries.c.campaign_id == campaign)
    grouped = counted.group_by(deliveries.c.campaign_id, deliveries.c.segment, deliveries.c.state)
    return [dict(row._mapping) for row in connection.execute(grouped)]  # noqa: SLF001 - as above


def file_of(database: Database, campaign: int) -> str:
    """The name of the file in which a campaign's deliveries are; empty if they are in the ledger."""
    with database.read() as connection:
        return connection.scalar(select(archives.c.file).where(archives.c.campaign_id == campaign)) or ""
