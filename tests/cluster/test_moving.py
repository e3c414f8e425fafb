"""A database moves from SQLite to PostgreSQL and back, and old campaigns into files."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete, insert

from benchmarks.ground import Ground
from mailer.audience.rules import parse_rule
from mailer.campaigns import advance
from mailer.deliveries.delivery import Handed, Settlement, State
from mailer.deliveries.process import Process
from mailer.errors import Refused
from mailer.storage.archiving import Archive, file_of
from mailer.storage.campaign_tables import deliveries
from mailer.storage.database import Database
from mailer.storage.ledger import SqlLedger
from mailer.storage.moving import Copied, move
from mailer.storage.register import memberships, subscribers
from mailer.storage.register.rules import refuse_untold


def sent(ground: Ground) -> int:
    """A campaign that is finished: all were sent to but one, who refused."""
    campaign, now = ground.campaign(), datetime.now(UTC) + timedelta(seconds=1)
    run = ground.ledger.begin(campaign, Process.this(), lease=timedelta(minutes=1), now=now)
    ids = [one.id for one in ground.ledger.claim(run, 100, now=now)]
    ground.ledger.record(run, [Handed(each) for each in ids], [], now=now)
    outcomes = [Settlement(each, State.SENT, "250 2.0.0 recibido", 250) for each in ids[1:]]
    ground.ledger.record(run, [], [*outcomes, Settlement(ids[0], State.REFUSED, "550 no", 550)], now=now)
    ground.ledger.end(run, now=now)
    advance.finish(ground.agenda, ground.agenda.get(campaign), ground.ledger.account(campaign), now=now)
    return campaign


@pytest.mark.postgres
def test_there_and_back_again(sqlite_ground: Ground, empty_postgres: str, tmp_path: Path):
    """Counts and hashes agree, an interrupted copy goes on, new rows are numbered on, and back it is the same."""
    campaign = sent(sqlite_ground)
    target, back = Database(empty_postgres), Database(f"sqlite:///{tmp_path / 'back.db'}")
    target.upgrade()
    back.upgrade()
    there = move(sqlite_ground.database, target)
    assert msgspec.json.decode(msgspec.json.encode(there), type=list[Copied]) == there
    with target.write() as connection:  # as if it had been interrupted
        connection.execute(delete(deliveries).where(deliveries.c.id > 20))
        connection.execute(delete(memberships))
    rows: list[int] = []
    assert move(sqlite_ground.database, target, told=rows.append) == there
    assert sum(rows) == 20 + 40
    assert move(target, back) == there
    assert SqlLedger(target).account(campaign) == sqlite_ground.ledger.account(campaign)
    with target.write() as connection:
        person = {"email": "n@b.example", "email_key": "n@b.example", "domain": "b.example", "language": "es"}
        person |= dict.fromkeys(("name", "honorific", "position", "institution", "country", "source"), "")
        at = {"state": "active", "created_at": datetime.now(UTC), "updated_at": datetime.now(UTC)}
        new = connection.execute(insert(subscribers).values(person | at).returning(subscribers.c.id)).scalar_one()
    assert new == 41
    with pytest.raises(Refused, match="holds other data"):
        move(sqlite_ground.database, target)
    target.close()
    back.close()


@pytest.mark.postgres
def test_nothing_is_copied_while_a_campaign_is_sent(sqlite_ground: Ground, empty_postgres: str):
    """What a sender writes after its page was read would be missing."""
    now = datetime.now(UTC)
    sqlite_ground.ledger.begin(sqlite_ground.campaign(), Process.this(), lease=timedelta(minutes=1), now=now)
    target = Database(empty_postgres)
    target.upgrade()
    with pytest.raises(Refused, match="being sent"):
        move(sqlite_ground.database, target)
    target.close()


def test_an_archived_campaign_keeps_its_account(sqlite_ground: Ground, tmp_path: Path):
    """The deliveries are lines of a compressed file, the sums by segment stand as before, and it happens once."""
    campaign = sent(sqlite_ground)
    before = sqlite_ground.ledger.accounts(campaign)
    archive, now = Archive(sqlite_ground.database, tmp_path / "cellar"), datetime.now(UTC)
    assert archive.ripe(now - timedelta(days=400)) == []
    (ripe,) = archive.ripe(now + timedelta(days=1))
    put_away = archive.put_away(ripe, now=now)
    lines = [json.loads(line) for line in gzip.decompress(Path(put_away.file).read_bytes()).splitlines()]
    assert len(lines) == put_away.deliveries == 40
    assert {line["state"] for line in lines} == {"sent", "refused"}
    assert not {"email", "name", "reply"} & lines[0].keys()  # an erasure has nothing to look for here
    assert list(sqlite_ground.ledger.deliveries(campaign)) == []
    assert sqlite_ground.ledger.accounts(campaign) == before
    assert sqlite_ground.ledger.account(campaign) == before[""]
    assert file_of(sqlite_ground.database, campaign) == "campaign-1-2022-11.jsonl.gz"
    with sqlite_ground.database.read() as connection, pytest.raises(Refused, match="was put away in campaign-1-2022"):
        refuse_untold(connection, parse_rule('not received "2022-11"'))
    assert archive.ripe(now + timedelta(days=1)) == []
