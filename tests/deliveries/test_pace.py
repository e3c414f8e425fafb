"""Pace: rates that hold across processes and kills, lanes that keep slow domains apart, hours."""

import asyncio
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from stage import HASTY, NOON, Behaviour, Stage, Toy, make_message

from mailer.clock import SystemClock
from mailer.deliveries import slowdown
from mailer.deliveries.orders import Ending, Orders
from mailer.deliveries.pace import Limits, Pace
from mailer.deliveries.rate import Grant, Rate
from mailer.deliveries.slowdown import Slowdown
from mailer.deliveries.transport import Deferred
from mailer.deliveries.window import Window
from mailer.storage.database import Database
from mailer.storage.ledger import SqlLedger

STAGE = Path(__file__).with_name("stage.py")


def paced(*rates: str, **domains: Limits) -> Orders:
    """Hasty orders with these rates, and limits for domains (`a_example` is a.example)."""
    limits = {name.replace("_", "."): limit for name, limit in domains.items()}
    return msgspec.structs.replace(HASTY, pace=Pace(tuple(Rate.parse(rate) for rate in rates), limits))


class Watch(Toy):
    """A toy that notes when it took each message, and how many at a time."""

    def __init__(self, pause: float = 0.0) -> None:
        super().__init__(pause=pause)
        self.times: list[float] = []
        self.busy: list[str] = []
        self.most: dict[str, int] = {}
        self.behaviour = Behaviour(before=self._come, after=self._go)

    def _come(self, address: str) -> None:
        domain = address.partition("@")[2]
        self.busy.append(domain)
        self.most[domain] = max(self.most.get(domain, 0), self.busy.count(domain))

    def _go(self, address: str) -> None:
        self.busy.remove(address.partition("@")[2])
        self.times.append(time.monotonic())


class Noting(SqlLedger):
    """The ledger, noting each instant for which it gave leave."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.slots: list[datetime] = []

    def grant(self, scope: str, rate: Rate, wanted: int, *, now: datetime) -> Grant:
        given = super().grant(scope, rate, wanted, now=now)
        self.slots += [given.at + timedelta(seconds=given.interval * number) for number in range(given.number)]
        return given


def test_the_rate_holds(stage: Stage):
    """At 50/s leave is given fifty times a second, evenly, and no message goes before its turn: however slow we are."""
    stage.people(150)
    campaign = stage.campaign()
    stage.clock = SystemClock()
    stage.ledger = ledger = Noting(stage.database)
    times: list[datetime] = []
    toy = Toy(behaviour=Behaviour(before=lambda _: times.append(stage.clock.now())))
    assert stage.send(campaign, toy, orders=paced("50/s")).ending is Ending.DONE
    assert len(times) == 150
    assert all(slot <= taken for slot, taken in zip(ledger.slots, sorted(times), strict=False))
    # A pause may be made up for by a tenth of a second.
    assert all(later - earlier > timedelta(seconds=0.89) for earlier, later in pairwise(ledger.slots[::50]))


def test_the_rate_holds_across_a_kill(stage: Stage, database_url: str, tmp_path: Path):
    """Two senders at once, one killed and started again: together they are never faster than the one rate."""
    stage.people(400)
    campaign = stage.campaign()
    log = tmp_path / "log"
    log.touch()
    command = [sys.executable, str(STAGE), database_url, str(campaign.id), str(log), "40/s"]

    def taken(number: int) -> int:
        """Wait until so many were taken; gives how many were."""
        deadline = time.monotonic() + 60
        while len(log.read_text().split()) < number and time.monotonic() < deadline:
            time.sleep(0.01)
        return len(log.read_text().split())

    begun = time.monotonic()
    senders = [subprocess.Popen(command) for _ in range(2)]
    try:
        taken(40)
        senders[0].send_signal(signal.SIGKILL)
        senders[0].wait()
        senders[0] = subprocess.Popen(command)
        assert 160 <= taken(160) <= (time.monotonic() - begun) * 40 + 5
    finally:
        for sender in senders:
            sender.kill()
            sender.wait()


def test_a_quota_ends_the_run_and_is_remembered(stage: Stage):
    """A used-up quota ends the run with the hour at which it goes on; another run has no more of it."""
    stage.people(30)
    campaign = stage.campaign()
    toy = Toy()
    result = stage.send(campaign, toy, orders=paced("20/day"))
    assert (result.ending, len(toy.taken), result.account.pending) == (Ending.PACED, 20, 10)
    assert result.next_at is not None
    assert timedelta(hours=23) < result.next_at - NOON < timedelta(hours=25)
    assert stage.send(campaign, toy, orders=paced("20/day")).ending is Ending.PACED
    assert len(toy.taken) == 20
    stage.clock.instant = result.next_at
    assert stage.send(campaign, toy, orders=paced("20/day")).ending is Ending.DONE
    assert len(toy.taken) == 30


def test_a_slow_domain_is_in_nobodys_way(stage: Stage):
    """While one domain gets two a second, everybody else gets theirs at once; the slow one gets all in the end."""
    stage.people(120)
    stage.move_to("slow.example", range(1, 7))  # the first in the queue
    campaign = stage.campaign()
    watch = Watch()
    stage.clock = SystemClock()
    limits = Limits((Rate.parse("2/s"),))
    result = stage.send(campaign, watch, orders=paced(slow_example=limits))
    assert (result.ending, result.account.sent) == (Ending.DONE, 120)
    slow = [address.endswith("@slow.example") for address in watch.taken]
    assert slow.count(True) == 6
    assert slow[-2:] == [True, True]
    assert watch.times[-1] - watch.times[0] >= 2.0


def test_a_domain_gets_its_connections_and_no_more(stage: Stage):
    """`connections = 1` of a domain means one at a time, while all others use the rest."""
    stage.people(60)
    stage.move_to("shy.example", range(1, 31))
    campaign = stage.campaign()
    watch = Watch(pause=0.01)
    assert stage.send(campaign, watch, orders=paced(shy_example=Limits(connections=1))).account.sent == 60
    assert watch.most["shy.example"] == 1
    assert watch.most["quito.example"] > 1


def test_processes_share_what_a_domain_allows(stage: Stage):
    """Of two processes only the first serves a domain of one connection; together they do all."""
    stage.people(20)
    stage.move_to("shy.example", range(1, 11))
    campaign = stage.campaign()
    orders = paced(shy_example=Limits(connections=1))
    second = stage.send(campaign, Toy(), orders=msgspec.structs.replace(orders, number=1, processes=2))
    assert (second.account.sent, second.account.pending) == (10, 10)
    first = stage.send(campaign, Toy(), orders=msgspec.structs.replace(orders, number=0, processes=2))
    assert first.ending is Ending.DONE


def test_a_domain_that_complains_is_slowed_and_comes_back():
    """Half the pace at each complaint beyond chance, twice the pace after each good run, until it is free again."""
    pace, now = Slowdown(), NOON
    assert not pace.complained(now)
    assert pace.rate is None
    assert not pace.complained(now)  # of the same bunch
    rates = []
    for _ in range(8):
        now += timedelta(seconds=10)
        pace.complained(now)
        rates.append(pace.rate.count)
    assert rates == [60, 30, 15, 8, 4, 2, 1, 1]
    for _ in range(20 * slowdown.GOOD_RUN):
        pace.took_one()
    assert pace.rate is None


def test_a_complaining_domain_gets_its_own_lane(stage: Stage):
    """Once a domain says 4.7.x twice, the rest of it waits in a lane of its own and the others go on."""
    stage.people(80)
    stage.move_to("picky.example", range(1, 41))
    campaign = stage.campaign()
    asked: list[str] = []
    others: list[str] = []
    stop = asyncio.Event()

    def complain(address: str) -> None:
        if address.endswith("@picky.example") and len(asked) < 12:
            asked.append(address)
            stage.clock.move_on(timedelta(seconds=6))
            raise Deferred("451 4.7.0 too fast", code=451, status="4.7.0")

    def taken(address: str) -> None:
        if address.endswith("@quito.example"):
            others.append(address)
        if len(others) == 40:
            stop.set()

    sending = stage.sending(campaign, Toy(behaviour=Behaviour(complain, taken)), stop=stop)
    result = asyncio.run(sending)
    assert (result.ending, result.account.pending) == (Ending.STOPPED, 80 - result.account.sent)
    assert result.account.pending > 20
    assert "picky.example" in stage.ledger.lanes(campaign.id)


def test_outside_its_hours_nothing_is_sent(stage: Stage):
    """A campaign outside its window says when it goes on; when the window shuts in mid-send it stops likewise."""
    stage.people(60)
    campaign = stage.campaign()
    window = Window.parse("mon-fri 08:00-18:00", ZoneInfo("America/Guayaquil"))
    orders = msgspec.structs.replace(HASTY, window=window)
    stage.clock.move_on(timedelta(days=1))  # a Saturday
    toy = Toy()
    result = stage.send(campaign, toy, orders=orders)
    assert (result.ending, toy.taken) == (Ending.OUT_OF_HOURS, [])
    assert result.next_at == NOON + timedelta(days=3, hours=-1)  # Monday, 08:00 in Quito
    stage.clock.instant = (NOON + timedelta(days=3)).replace(hour=22, minute=59)
    shut = Behaviour(after=lambda _: stage.clock.move_on(timedelta(seconds=10)))
    result = stage.send(campaign, Toy(behaviour=shut, pause=0.03), orders=orders)
    assert result.ending is Ending.OUT_OF_HOURS
    assert 0 < result.account.pending < 60
    assert result.account.reconciled


@pytest.mark.parametrize("order", ["pause", "cancel"])
async def test_an_order_acts_within_a_second(stage: Stage, order: str):
    """Paused or cancelled, even while it waits for its rate, a campaign stops within a second, in flight landed."""
    from mailer.campaigns import advance

    stage.people(50)
    campaign = stage.campaign()
    stage.clock = SystemClock()
    begun = asyncio.Event()
    toy = Toy(behaviour=Behaviour(after=lambda _: begun.set()))
    orders = msgspec.structs.replace(paced("2/s"), heartbeat=Orders().heartbeat)
    sending = asyncio.create_task(stage.sending(campaign, toy, orders=orders, make_message=make_message))
    await begun.wait()
    more = {"reason": "because"} if order == "pause" else {}
    getattr(advance, order)(stage.agenda, campaign, who="test", now=stage.clock.now(), **more)
    before = len(toy.taken)
    result = await sending
    # Counted, not timed: a second at this rate is two messages, and one or two may be in flight.
    assert len(toy.taken) <= before + 4
    assert result.ending is Ending.STOPPED
    assert result.account.sent == len(toy.taken)
    assert result.account.reconciled
