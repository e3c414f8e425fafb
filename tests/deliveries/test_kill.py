"""A sender that is killed: nobody is lost, and nobody is sent a second copy unlisted."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from stage import Stage, Toy

from mailer.clock import SystemClock
from mailer.deliveries.orders import Ending, Orders

STAGE = Path(__file__).with_name("stage.py")


def start(url: str, campaign: int, log: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(STAGE), url, str(campaign), str(log)])


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
