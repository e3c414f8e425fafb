"""Sending: each recipient once, whatever the other side does."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import insert, update
from stage import HASTY, NOON, Behaviour, Stage, Toy, until

from mailer.campaigns import advance
from mailer.deliveries.delivery import State
from mailer.deliveries.ledger import LeaseLost, Run
from mailer.deliveries.orders import Ending, Orders
from mailer.deliveries.transport import (
    ConnectionLost,
    Deferred,
    RecipientRefused,
    TransportDown,
    Uncertain,
)
from mailer.storage.register import subscribers, suppressions


def once(*addresses: str, error: Exception):
    """A behaviour that fails the first attempt for each of the addresses."""
    left = set(addresses)

    def fail(address: str) -> None:
        if address in left:
            left.discard(address)
            raise error

    return fail


def always(*addresses: str, error: Exception):
    """A behaviour that fails every attempt for the addresses, or for everybody if none is named."""

    def fail(address: str) -> None:
        if not addresses or address in addresses:
            raise error

    return fail


def test_everybody_gets_one(stage: Stage):
    """A campaign over an open way out sends one message to each and is done."""
    stage.people(250)
    campaign = stage.campaign()
    toy = Toy()
    result = stage.send(campaign, toy)
    assert result.ending is Ending.DONE
    assert sorted(toy.taken) == sorted(stage.states(campaign))
    assert len(toy.taken) == 250
    assert result.account.sent == 250
    assert result.account.reconciled


def test_a_campaign_sent_a_second_time_sends_nothing(stage: Stage):
    """What was recorded as sent is never sent again."""
    stage.people(20)
    campaign = stage.campaign()
    stage.send(campaign, Toy())
    toy = Toy()
    assert stage.send(campaign, toy).ending is Ending.DONE
    assert toy.taken == []


def test_a_refusal_means_one_recipient(stage: Stage):
    """A 5xx at RCPT refuses that recipient and nobody else."""
    stage.people(20)
    campaign = stage.campaign()
    refusal = RecipientRefused("550 5.1.1 no such user", code=550, status="5.1.1")
    result = stage.send(campaign, Toy(behaviour=Behaviour(before=always("gads7@quito.example", error=refusal))))
    assert (result.account.sent, result.account.refused) == (19, 1)
    line = next(stage.ledger.deliveries(campaign.id, State.REFUSED))
    assert (line.recipient.email, line.reply, line.code) == ("gads7@quito.example", "550 5.1.1 no such user", 550)


def test_a_deferral_is_tried_again_after_five_minutes(stage: Stage):
    """A 4xx leaves a retry that is due in five minutes, not before, and then goes through."""
    stage.people(5)
    campaign = stage.campaign()
    greylisting = once("gads3@quito.example", error=Deferred("451 4.7.1 greylisted", code=451))
    toy = Toy(behaviour=Behaviour(before=greylisting))
    result = stage.send(campaign, toy)
    assert result.ending is Ending.RETRIES_LEFT
    assert result.next_at == NOON + timedelta(minutes=5)
    stage.clock.move_on(timedelta(minutes=4, seconds=59))
    assert stage.send(campaign, toy).account.sent == 4
    stage.clock.move_on(timedelta(seconds=1))
    assert stage.send(campaign, toy).ending is Ending.DONE
    assert toy.taken.count("gads3@quito.example") == 1


def test_after_four_days_of_deferrals_it_is_undeliverable(stage: Stage):
    """Retries grow apart, and end after four days."""
    stage.people(1)
    campaign = stage.campaign()
    toy = Toy(behaviour=Behaviour(before=always(error=Deferred("450 4.2.0 busy", code=450))))
    spans = []
    while (result := stage.send(campaign, toy)).next_at is not None:
        spans.append(result.next_at - stage.clock.now())
        stage.clock.move_on(spans[-1])
    assert result.account.undeliverable == 1
    assert timedelta(days=4) <= stage.clock.now() - NOON <= timedelta(days=4, hours=1)
    assert spans[0] == timedelta(minutes=5)
    assert spans[:5] == sorted(spans[:5])
    assert len(spans) < 60


def test_a_deferral_at_the_dot_is_a_retry(stage: Stage):
    """A 4xx answer after the hand-off is an answer: it is retried, not uncertain."""
    stage.people(3)
    campaign = stage.campaign()
    late = once("gads2@quito.example", error=Deferred("452 4.3.1 full", code=452))
    result = stage.send(campaign, Toy(behaviour=Behaviour(after=late)))
    assert (result.account.sent, result.account.pending, result.account.uncertain) == (2, 1, 0)


def test_a_lost_connection_before_the_hand_off_marks_nobody(stage: Stage):
    """A drop at MAIL, RCPT or in the body is tried again at once on a new connection."""
    stage.people(30)
    campaign = stage.campaign()
    drops = once("gads2@quito.example", "gads9@quito.example", error=ConnectionLost("dropped"))
    toy = Toy(behaviour=Behaviour(before=drops))
    result = stage.send(campaign, toy)
    assert result.ending is Ending.DONE
    assert result.account.sent == 30
    assert len(toy.taken) == 30


def test_a_message_that_breaks_every_connection_is_put_off(stage: Stage):
    """One poisonous message can't keep the others from going out, nor the run from ending."""
    stage.people(30)
    campaign = stage.campaign()
    poison = always("gads5@quito.example", error=ConnectionLost("dropped"))
    result = stage.send(campaign, Toy(behaviour=Behaviour(before=poison)))
    assert (result.ending, result.account.sent, result.account.pending) == (Ending.RETRIES_LEFT, 29, 1)


def test_no_answer_after_the_hand_off_is_uncertain_and_listed(stage: Stage):
    """A drop after the dot is uncertain; it isn't sent again, and it is listed."""
    stage.people(10)
    campaign = stage.campaign()
    toy = Toy(behaviour=Behaviour(after=always("gads4@quito.example", error=Uncertain("timed out"))))
    result = stage.send(campaign, toy)
    assert (result.ending, result.account.sent, result.account.uncertain) == (Ending.DONE, 9, 1)
    assert [line.recipient.email for line in stage.ledger.doubtful(campaign.id)] == ["gads4@quito.example"]
    assert toy.taken.count("gads4@quito.example") == 1


def test_lost_between_the_hand_off_and_the_dot_is_sent_again(stage: Stage):
    """A transport that knows that the dot never left leaves no doubt: it goes again at once, and nothing is listed."""
    stage.people(10)
    campaign = stage.campaign()
    lost = once("gads4@quito.example", error=ConnectionLost("hung up before the dot"))
    result = stage.send(campaign, Toy(behaviour=Behaviour(after=lost)))
    assert (result.ending, result.account.sent, result.account.uncertain) == (Ending.DONE, 10, 0)
    assert list(stage.ledger.doubtful(campaign.id)) == []


def test_lost_before_every_dot_is_put_off(stage: Stage):
    """A message that breaks each connection between the hand-off and the dot can't keep the run from ending."""
    stage.people(10)
    campaign = stage.campaign()
    lost = always("gads4@quito.example", error=ConnectionLost("hung up before the dot"))
    result = stage.send(campaign, Toy(behaviour=Behaviour(after=lost)))
    assert (result.ending, result.account.sent, result.account.pending) == (Ending.RETRIES_LEFT, 9, 1)


def test_under_the_policy_resend_it_goes_again_and_stays_listed(stage: Stage):
    """An uncertain delivery is sent again by policy, in five minutes, and the list keeps its name."""
    stage.people(4)
    campaign = stage.campaign()
    orders = Orders(on_uncertain="resend", first_wait=0.01, heartbeat=0.05)
    toy = Toy(behaviour=Behaviour(after=once("gads4@quito.example", error=Uncertain("timed out"))))
    assert stage.send(campaign, toy, orders=orders).ending is Ending.RETRIES_LEFT
    stage.clock.move_on(timedelta(minutes=5))
    assert stage.send(campaign, toy, orders=orders).ending is Ending.DONE
    assert Counter(toy.taken)["gads4@quito.example"] == 2
    assert [str(line.state) for line in stage.ledger.doubtful(campaign.id)] == ["sent"]


def test_the_policy_resends_once(stage: Stage):
    """A server that never answers gets one more copy by policy, not one every five minutes."""
    stage.people(2)
    campaign = stage.campaign()
    orders = Orders(on_uncertain="resend", first_wait=0.01, heartbeat=0.05)
    toy = Toy(behaviour=Behaviour(after=always("gads2@quito.example", error=Uncertain("timed out"))))
    for _ in range(4):
        result = stage.send(campaign, toy, orders=orders)
        stage.clock.move_on(timedelta(minutes=5))
    assert (result.ending, result.account.uncertain) == (Ending.DONE, 1)
    assert Counter(toy.taken)["gads2@quito.example"] == 2


def test_when_we_are_refused_nobody_is_marked(stage: Stage):
    """A refused login or sender ends the run with the server's words; all recipients stay as they were."""
    stage.people(50)
    campaign = stage.campaign()
    down = TransportDown("535 5.7.8 bad credentials", code=535)
    result = stage.send(campaign, Toy(behaviour=Behaviour(before=always(error=down))))
    assert (result.ending, result.reason) == (Ending.DOWN, "535 5.7.8 bad credentials")
    assert result.account.pending == 50


def test_a_run_of_identical_refusals_means_us(stage: Stage):
    """The same 5xx over everybody pauses instead of refusing them all; who was refused in it is given back."""
    stage.people(100)
    campaign = stage.campaign()
    policy = RecipientRefused("554 5.7.1 your address is listed", code=554, status="5.7.1")
    result = stage.send(campaign, Toy(behaviour=Behaviour(before=always(error=policy))))
    assert result.ending is Ending.DOWN
    assert "your address is listed" in result.reason
    assert (result.account.pending, result.account.refused) == (100, 0)


def test_who_is_refused_again_after_a_reprieve_is_refused(stage: Stage):
    """A person who says go on gets on: the same refusals count the second time."""
    stage.people(12)
    campaign = stage.campaign()
    policy = RecipientRefused("554 5.7.1 not from you", code=554, status="5.7.1")
    toy = Toy(behaviour=Behaviour(before=always(error=policy)))
    assert stage.send(campaign, toy).ending is Ending.DOWN
    result = stage.send(campaign, toy)
    assert result.ending is Ending.DONE
    assert result.account.refused == 12


def test_a_server_that_is_away_is_waited_for(stage: Stage):
    """A refused connection backs off and goes on when the server is back; nobody is marked."""
    stage.people(10)
    campaign = stage.campaign()

    class Away(Toy):
        tries = 0

        async def open(self):
            self.tries += 1
            if self.tries < 12:
                raise ConnectionLost("connection refused")
            return await super().open()

    said = []
    result = stage.send(campaign, Away(), progress=lambda progress: said.append(progress.waiting))
    assert (result.ending, result.account.sent) == (Ending.DONE, 10)
    assert "connection refused" in said


def test_who_leaves_while_it_is_sent_gets_nothing(stage: Stage):
    """An unsubscribe and a suppression that arrive mid-send stop the claims that come later."""
    stage.people(60)
    campaign = stage.campaign()

    def leave(address: str) -> None:
        if address == "gads1@quito.example":
            with stage.database.write() as connection:
                gone = update(subscribers).where(subscribers.c.email == "gads58@quito.example")
                connection.execute(gone.values(state="unsubscribed"))
                complaint = {"key": "gads59@quito.example", "reason": "complaint", "note": "", "since": NOON}
                connection.execute(insert(suppressions).values(complaint))

    toy = Toy(behaviour=Behaviour(before=leave))
    result = stage.send(campaign, toy, orders=Orders(connections=1, batch=10))
    assert (result.account.sent, result.account.suppressed) == (58, 2)
    assert not {"gads58@quito.example", "gads59@quito.example"} & set(toy.taken)


async def test_told_to_stop_it_lands_and_gives_back(stage: Stage):
    """A stop lets what is in flight land, gives back what was claimed, and leaves the rest pending."""
    stage.people(200)
    campaign = stage.campaign()
    stop = asyncio.Event()
    toy = Toy(pause=0.02)
    sending = asyncio.create_task(stage.sending(campaign, toy, stop=stop))
    await until(lambda: len(toy.taken) >= 20)
    stop.set()
    result = await sending
    assert result.ending is Ending.STOPPED
    assert result.account.sent == len(toy.taken)
    assert set(stage.states(campaign).values()) == {"sent", "pending"}
    assert (await stage.sending(campaign, toy)).account.sent == 200
    assert len(set(toy.taken)) == len(toy.taken) == 200


async def test_a_pause_acts_within_a_second(stage: Stage):
    """A campaign that is paused from elsewhere stops being sent."""
    stage.people(400)
    campaign = stage.campaign()
    toy = Toy(pause=0.02)
    sending = asyncio.create_task(stage.sending(campaign, toy))
    await until(lambda: len(toy.taken) >= 20)
    advance.pause(stage.agenda, campaign, reason="a typo", who="Redacción", now=NOON)
    result = await asyncio.wait_for(sending, 2)
    assert result.ending is Ending.STOPPED
    assert result.account.sent == len(toy.taken) < 400


async def test_what_can_not_land_in_time_is_uncertain(stage: Stage):
    """A drain that runs out leaves what was handed uncertain, never pending."""
    stage.people(10)
    campaign = stage.campaign()
    stop = asyncio.Event()
    toy = Toy(pause=60)
    orders = Orders(connections=2, drain=0.1, heartbeat=0.02)
    sending = asyncio.create_task(stage.sending(campaign, toy, stop=stop, orders=orders))
    await until(lambda: len(toy.taken) >= 2)
    stop.set()
    result = await sending
    assert (result.account.uncertain, result.account.pending) == (2, 8)


async def test_who_lost_the_lease_writes_no_more(stage: Stage):
    """A run that was taken over stops with an error, and what it had handed stays uncertain."""
    stage.people(50)
    campaign = stage.campaign()
    toy = Toy(pause=0.05)
    sending = asyncio.create_task(stage.sending(campaign, toy))
    await until(lambda: len(toy.taken) >= 8)
    stage.ledger.end(Run(id=1, campaign_id=campaign.id), now=NOON)
    with pytest.raises(LeaseLost):
        await sending
    account = stage.ledger.account(campaign.id)
    assert account.sent + account.uncertain == len(toy.taken)
    assert account.reconciled


async def test_two_senders_share_without_a_repeat(stage: Stage):
    """Two runs over one ledger never take the same delivery."""
    stage.people(300)
    campaign = stage.campaign()
    first, second = Toy(pause=0.001), Toy(pause=0.001)
    orders = Orders(batch=10, first_wait=0.01, heartbeat=HASTY.heartbeat)
    await asyncio.gather(*(stage.sending(campaign, toy, orders=orders) for toy in (first, second)))
    assert len(first.taken) + len(second.taken) == 300
    assert first.taken
    assert second.taken
    assert not set(first.taken) & set(second.taken)
