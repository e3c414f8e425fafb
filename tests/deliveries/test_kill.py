"""A sender that is killed: nobody is lost, and nobody is sent a second copy unlisted."""

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from stage import Stage, Toy

from mailer.clock import SystemClock
from mailer.deliveries.orders import Ending, Orders

STAGE = Path(__file__).with_name("stage.py")


def start(url: str, campaign: int, log: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(STAGE), url, str(campaign), str(log), *more])


def accepted(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


def wait_for(log: Path, number: int) -> None:
    deadline = time.monotonic() + 30
    while len(accepted(log)) < number and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_kills_lose_nobody_and_repeat_nobody_unlisted(stage: Stage, database_url: str, tmp_path: Path, policy: str):
    """After SIGKILLs at any moment everybody has it, and only listed recipients may have it twice."""
    stage.people(400)
    campaign = stage.campaign()
    log = tmp_path / "log"
    dice = random.Random(7)
    for _ in range(3):
        before = len(accepted(log))
        process = start(database_url, campaign.id, log)
        wait_for(log, before + dice.randrange(5, 80))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert stage.ledger.account(campaign.id).reconciled
    stage.clock = SystemClock()
    orders = Orders(on_uncertain=policy, heartbeat=0.1)
    result = asyncio.run(stage.sending(campaign, Toy(log), orders=orders))
    assert result.ending is Ending.DONE
    copies = Counter(accepted(log))
    listed = {line.recipient.subscriber_id for line in stage.ledger.doubtful(campaign.id)}
    numbers = {int(message_id.split("@")[0].split(".")[1]): copies[message_id] for message_id in copies}
    assert set(numbers) | listed == set(range(1, 401))
    assert {number for number, count in numbers.items() if count > 1} <= listed
    assert result.account.sent + result.account.uncertain == 400
    if policy == "resend":
        assert set(numbers) == set(range(1, 401))
        assert result.account.uncertain == 0


def test_two_processes_on_one_ledger_never_claim_the_same(stage: Stage, database_url: str, tmp_path: Path):
    """Two processes share a campaign; each recipient is accepted once."""
    stage.people(300)
    campaign = stage.campaign()
    log = tmp_path / "log"
    processes = [start(database_url, campaign.id, log) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert set(Counter(accepted(log)).values()) == {1}
    assert stage.ledger.account(campaign.id).sent == 300


def stop_between_two_commits(process: subprocess.Popen[bytes], stage: Stage) -> None:
    """Stop a sender while it holds no lock; who stops with one holds up everybody, which is another story."""
    for _ in range(100):
        process.send_signal(signal.SIGSTOP)
        if is_free(stage):
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.02)
    pytest.fail("the sender was in a transaction whenever it was stopped")


def is_free(stage: Stage) -> bool:
    """Whether nobody is in the middle of a change."""
    if not stage.database.is_sqlite:
        in_change = text("SELECT count(*) FROM pg_stat_activity WHERE state LIKE '%in transaction%'")
        with stage.database.read() as connection:
            return connection.scalar(in_change) == 0
    with closing(sqlite3.connect(str(stage.database.url.database), timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True


def test_a_sender_that_was_stopped_for_too_long_writes_no_more(stage: Stage, database_url: str, tmp_path: Path):
    """Its lease over, another sends the rest; when it goes on it can't write, and says so."""
    stage.people(60)
    campaign = stage.campaign()
    log = tmp_path / "log"
    stopped = start(database_url, campaign.id, log, "", "1 0.05")
    try:
        wait_for(log, 10)
        stop_between_two_commits(stopped, stage)
        stage.clock = SystemClock()
        time.sleep(1.2)  # its lease is reckoned in the database's time
        result = asyncio.run(stage.sending(campaign, Toy(log), orders=Orders(heartbeat=0.1)))
        assert result.ending is Ending.DONE
        assert result.account.sent + result.account.uncertain == 60
    finally:
        stopped.send_signal(signal.SIGCONT)
    assert stopped.wait(60) == 1
    assert stage.ledger.account(campaign.id) == result.account
    doubtful = [line.recipient.subscriber_id for line in stage.ledger.doubtful(campaign.id)]
    listed = {f"<{campaign.id}.{number}@quito.example>" for number in doubtful}
    copies = Counter(accepted(log))
    assert {message for message, count in copies.items() if count > 1} <= listed
    assert len(copies.keys() | listed) == 60
