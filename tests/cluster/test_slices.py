"""Slices say who should send; the ledger says what was sent, and whom a limit lets through."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.ground import Ground
from mailer.cluster.dealing import between
from mailer.deliveries.delivery import Handed, Settlement, State
from mailer.deliveries.process import Process
from mailer.deliveries.rate import Rate
from mailer.storage.slices import HeldLedger, SharedLedger, Slice

pytestmark = pytest.mark.postgres
LEASE = timedelta(seconds=30)


def now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


def cut(ground: Ground, campaign: int, size: int = 10) -> list[Slice]:
    ledger = SharedLedger(ground.database)
    return ledger.cut(campaign, "", between([]), size=size, most=100, now=now())


def test_a_campaign_is_cut_into_slices_that_cover_it_once(ground: Ground):
    """Every recipient lies in exactly one slice, and what is covered already is not cut again."""
    slices = cut(ground, ground.campaign())
    assert [part.last - part.first + 1 for part in slices] == [10, 10, 10, 10]
    again = SharedLedger(ground.database).cut(slices[0].campaign, "", between(slices[1:3]), size=10, most=9, now=now())
    assert again == [slices[0], slices[3]]


def test_a_slice_that_two_hold_is_sent_once(ground: Ground):
    """A job run twice, or taken over from one that only seemed dead, claims nothing that is claimed."""
    campaign = ground.campaign()
    part = cut(ground, campaign)[1]
    claimed = []
    for _ in range(2):
        ledger = HeldLedger(ground.database)
        ledger.take(part, lambda: None)
        run = ledger.begin(campaign, Process.this(), lease=LEASE, now=now())
        claimed.append({one.id for one in ledger.claim(run, 6, now=now())})
    assert claimed[0].isdisjoint(claimed[1])
    assert claimed[0] | claimed[1] == set(range(part.first, part.last + 1))


def test_a_slice_is_idle_when_all_of_it_is_settled(ground: Ground):
    """Nobody is told before the last outcome is written, and then what is left of it can be asked."""
    campaign = ground.campaign()
    part, ledger, told = cut(ground, campaign)[0], HeldLedger(ground.database), []
    ledger.take(part, lambda: told.append(1))
    run = ledger.begin(campaign, Process.this(), lease=LEASE, now=now())
    claimed = ledger.claim(run, 20, now=now())
    assert (len(claimed), told) == (10, [])
    ledger.record(run, [Handed(one.id) for one in claimed], [], now=now())
    ledger.record(run, [], [Settlement(one.id, State.SENT, "250 ok", 250) for one in claimed[:9]], now=now())
    assert (told, ledger.left(part).in_hand) == ([], 1)
    ledger.record(run, [], [Settlement(claimed[9].id, State.SENT, "250 ok", 250)], now=now())
    assert told == [1]
    assert (ledger.left(part).due_at, ledger.left(part).in_hand) == (None, 0)


def test_machines_whose_clocks_differ_share_one_rate(ground: Ground):
    """One clock ten seconds behind another: together they get what the rate allows, each in its own time."""
    rate, granted = Rate.parse("10/s"), []
    for _ in range(4):
        for skew in (timedelta(0), timedelta(seconds=-10)):
            here = datetime.now(UTC) + skew
            grant = SharedLedger(ground.database).grant("all", rate, 100, now=here)
            granted.append(grant.number)
            assert grant.at - here < timedelta(seconds=4)
    assert sum(granted) <= 10 * 5  # two seconds ahead, and the block that begins there


def test_a_domain_with_a_lane_of_its_own_is_cut_by_itself(ground: Ground):
    """Slices of the common lane leave such a domain's recipients alone, and the other way round."""
    campaign = ground.campaign()
    ledger = SharedLedger(ground.database)
    ledger.sort(campaign, ["canton7.example"])
    slow = ledger.cut(campaign, "canton7.example", between([]), size=10, most=9, now=now())
    common = ledger.cut(campaign, "", between([]), size=100, most=9, now=now())
    held = HeldLedger(ground.database)
    held.take(common[0], lambda: None)
    run = held.begin(campaign, Process.this(), lease=LEASE, now=now())
    assert held.lanes(campaign).keys() == {""}
    assert held.claim(run, 100, now=now(), lane="canton7.example") == []
    assert {one.recipient.email.partition("@")[2] for one in held.claim(run, 100, now=now())}.isdisjoint(
        {"canton7.example"}
    )
    assert [part.lane for part in slow] == ["canton7.example"]
