"""What every ledger promises, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update
from stage import NOON, Stage

from mailer.campaigns import advance
from mailer.deliveries.delivery import Handed, Settlement, State
from mailer.deliveries.process import Process
from mailer.deliveries.rate import Rate
from mailer.errors import Refused
from mailer.storage.campaign_tables import allowances, deliveries
from mailer.storage.register import memberships
from mailer.storage.rights import Rights

LEASE = timedelta(seconds=45)


def test_lanes_are_claimed_apart(stage: Stage):
    """A domain with limits has a lane of its own; each lane says when its next is due."""
    stage.people(10)
    stage.move_to("slow.example", range(1, 4))
    campaign = stage.campaign()
    stage.ledger.sort(campaign.id, ["slow.example", "absent.example"])
    assert stage.ledger.lanes(campaign.id) == {"": NOON, "slow.example": NOON}
    run = stage.ledger.begin(campaign.id, Process.this(), lease=LEASE, now=NOON)
    common = stage.ledger.claim(run, 100, now=NOON)
    assert {each.domain for each in common} == {"quito.example"}
    slow = stage.ledger.claim(run, 2, now=NOON, lane="slow.example")
    assert [each.lane for each in slow] == ["slow.example"] * 2
    assert stage.ledger.lanes(campaign.id) == {"slow.example": NOON}


def test_who_left_their_segment_is_not_written_to_for_another_one(stage: Stage):
    """Who left the segment they were frozen for is suppressed, though they are in another that the campaign goes to."""
    stage.people(4)
    campaign = stage.campaign("gads", "partners")
    with stage.database.write() as connection:
        connection.execute(insert(memberships), {"subscriber_id": 2, "segment": "partners", "changed_at": NOON})
        connection.execute(
            update(deliveries).where(deliveries.c.subscriber_id == 4).values(segment="partners")
        )  # so that somebody of that segment is written to
        connection.execute(insert(memberships), {"subscriber_id": 4, "segment": "partners", "changed_at": NOON})
        left = update(memberships).where(memberships.c.subscriber_id == 2, memberships.c.segment == "gads")
        connection.execute(left.values(state="left"))
    run = stage.ledger.begin(campaign.id, Process.this(), lease=LEASE, now=NOON)
    claimed = stage.ledger.claim(run, 10, now=NOON)
    assert [each.recipient.subscriber_id for each in claimed] == [1, 3, 4]
    assert stage.ledger.account(campaign.id).suppressed == 1


def test_what_is_granted_is_shared_and_kept(stage: Stage):
    """Leave under one limit is given once, whoever asks; limits of other names and spans don't mix."""
    rate = Rate.parse("250/day")
    given = [stage.ledger.grant("all", rate, 100, now=NOON).number for _ in range(130)]
    assert sum(given) == 250
    assert stage.ledger.grant("domain a.example", rate, 100, now=NOON).number
    assert stage.ledger.grant("all", Rate.parse("250/h"), 100, now=NOON).number
    stage.ledger.hand_back("all", rate, 2)
    assert stage.ledger.grant("all", rate, 100, now=NOON).number == 2
    first = stage.ledger.grant("all", Rate.parse("10/s"), 100, now=NOON)
    second = stage.ledger.grant("all", Rate.parse("10/s"), 100, now=NOON)
    assert (second.at - first.at).total_seconds() == 1.0
    with stage.database.read() as connection:
        assert len(connection.execute(select(allowances)).all()) == 4


def test_a_hand_off_names_its_transport(stage: Stage):
    """The way a message left by is on record before it has left, and stays when its sender dies."""
    stage.people(2)
    campaign = stage.campaign()
    run = stage.ledger.begin(campaign.id, Process.this(), lease=LEASE, now=NOON)
    first, second = stage.ledger.claim(run, 2, now=NOON)
    assert not stage.ledger.record(run, [Handed(first.id, "ses"), Handed(second.id, "smtp")], [], now=NOON)
    sent = Settlement(first.id, State.SENT, reply="250 taken", code=250)
    assert not stage.ledger.record(run, [], [sent], now=NOON)
    assert not stage.ledger.record(run, [], [sent], now=NOON)  # a commit whose answer was lost, once more
    stage.ledger.end(run, now=NOON)
    found = [(line.state, line.transport) for line in stage.ledger.deliveries(campaign.id)]
    assert found == [(State.SENT, "ses"), (State.UNCERTAIN, "smtp")]
    assert set(stage.ledger.record(run, [], [Settlement(second.id, State.SENT)], now=NOON)) == {second.id}


def test_an_uncertain_one_is_settled_by_any_spelling_of_its_address(stage: Stage):
    """`resolve` knows an address by its key; one that isn't uncertain is named in the refusal."""
    stage.people(2)
    campaign = stage.campaign()
    run = stage.ledger.begin(campaign.id, Process.this(), lease=LEASE, now=NOON)
    handed = [Handed(each.id) for each in stage.ledger.claim(run, 2, now=NOON)]
    stage.ledger.record(run, handed, [], now=NOON)
    stage.ledger.end(run, now=NOON)
    emails = ["GADs1@Quito.example"]
    assert stage.ledger.resolve(campaign.id, State.SENT, emails=emails, who="test", now=NOON) == 1
    with pytest.raises(Refused, match=r"GADs1@Quito\.example"):
        stage.ledger.resolve(campaign.id, State.SENT, emails=emails, who="test", now=NOON)


@pytest.mark.parametrize("order", ["resolve", "resend_uncertain"])
def test_what_goes_back_into_the_queue_reopens_the_campaign(stage: Stage, order: str):
    """Sent again by a person or the policy: a finished campaign is sending by the same step, a paused one stays so."""
    stage.people(2)
    for is_finished in (True, False):
        campaign = stage.campaign()
        run = stage.ledger.begin(campaign.id, Process.this(), lease=LEASE, now=NOON)
        stage.ledger.record(run, [Handed(each.id) for each in stage.ledger.claim(run, 2, now=NOON)], [], now=NOON)
        stage.ledger.end(run, now=NOON)
        if is_finished:
            advance.finish(stage.agenda, campaign, stage.ledger.account(campaign.id), now=NOON)
        else:
            advance.pause(stage.agenda, campaign, reason="wait", who="test", now=NOON)
        if order == "resolve":
            assert stage.ledger.resolve(campaign.id, State.PENDING, emails=[], who="test", now=NOON) == 2
        else:
            assert stage.ledger.resend_uncertain(campaign.id, due_at=NOON, now=NOON) == 2
        after = stage.agenda.get(campaign.id)
        assert (after.state == "sending", after.finished_at) == (is_finished, None)
        assert (after.state == "paused", after.reason == "wait") == (not is_finished, not is_finished)


def test_accounts_add_up_at_any_moment(stage: Stage):
    """The sums of the segments and of all come from one read, also while a run holds deliveries in every state."""
    stage.people(9)
    campaign = stage.campaign()
    run = stage.ledger.begin(campaign.id, Process.this(), lease=LEASE, now=NOON)
    claimed = stage.ledger.claim(run, 6, now=NOON)
    stage.ledger.record(run, [Handed(each.id) for each in claimed[:4]], [], now=NOON)
    stage.ledger.record(run, [], [Settlement(claimed[0].id, State.SENT)], now=NOON)
    accounts = stage.ledger.accounts(campaign.id)
    assert accounts[""].reconciled
    assert (accounts[""].recipients, accounts[""].sent, accounts[""].pending) == (9, 1, 8)
    assert accounts["gads"] == accounts[""] == stage.ledger.account(campaign.id)


def test_who_is_erased_is_blank_in_every_account(stage: Stage):
    """Erasure empties a person's lines, the server's words too, and an answer that comes late writes none of them."""
    stage.people(2)
    campaign = stage.campaign()
    run = stage.ledger.begin(campaign.id, Process.this(), lease=LEASE, now=NOON)
    claimed = stage.ledger.claim(run, 2, now=NOON)
    stage.ledger.record(run, [Handed(each.id) for each in claimed], [], now=NOON)
    refused = Settlement(claimed[0].id, State.REFUSED, reply="550 <gads1@quito.example> unknown", code=550)
    stage.ledger.record(run, [], [refused], now=NOON)
    rights = Rights(stage.database, stage.clock, lambda address: [address[::-1]])
    for each in claimed:
        rights.erase(each.recipient.subscriber_id, who="test")
    late = Settlement(claimed[1].id, State.REFUSED, reply="550 <gads2@quito.example> unknown", code=550)
    stage.ledger.record(run, [], [late], now=NOON)
    with stage.database.read() as connection:
        text = str(connection.execute(select(deliveries)).all())
    assert "gads1" not in text
    assert "gads2" not in text
    assert "quito" not in text
    assert stage.ledger.account(campaign.id).refused == 2
