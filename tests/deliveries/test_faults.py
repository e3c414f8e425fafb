"""
Each fault that a server, a network or a machine can bring: how each recipient ends, and what went over the wire.

The engine is the real one, over the real SMTP transport, on both databases.
"""

import asyncio
from datetime import timedelta
from typing import NamedTuple

import msgspec
import pytest
from stage import HASTY, NOON, Stage, make_message
from wire import copies, over_smtp, said, tries

from mailer.deliveries.delivery import Claimed
from mailer.deliveries.orders import Ending, Orders
from mailer.messages.message import Message
from mailer.testing import Fault, SmtpSink

PEOPLE = 5
THIRD = "gads3@quito.example"
FOREVER = float("inf")
ONE_BY_ONE = Orders(connections=1, first_wait=0.01, longest_wait=0.05, heartbeat=0.05, drain=5.0)


class Row(NamedTuple):
    """
    A row of the table: the fault, which strikes the third of five, and what follows from it.

    `tries` and `copies` are of the third recipient, on the wire; the other four are sent one copy each, or all five
    are `everyone`. What is pending at the end of the run is sent, once, by the run five minutes later.
    """

    fault: str
    script: Fault
    third: str = "sent"
    tries: int = 1
    copies: int = 1
    connections: int = 1
    ending: Ending = Ending.DONE
    everyone: str = ""


LOGIN = {"brief": "right"}
TABLE = [
    # The run waits and backs off; nobody is marked.
    Row("4xx banner", Fault("connect", reply="421 4.3.2 busy", drop=True, times=3), connections=4),
    Row("5xx banner", Fault("connect", reply="554 5.3.2 go away", drop=True, times=3), connections=4),
    Row("a banner that never comes", Fault("connect", stall=FOREVER, times=1), connections=2),
    Row("a drop instead of a banner", Fault("connect", drop=True, times=3), connections=4),
    Row("tarpit", Fault("rcpt", stall=0.2)),
    # The recipient is tried again after five minutes.
    Row(
        "4xx at RCPT",
        Fault("rcpt", reply="450 4.2.0 greylisted", address=THIRD, times=1),
        "pending",
        copies=0,
        ending=Ending.RETRIES_LEFT,
    ),
    Row(
        "4xx at DATA",
        Fault("data", reply="451 4.3.0 not now", address=THIRD, times=1),
        "pending",
        copies=0,
        ending=Ending.RETRIES_LEFT,
    ),
    Row(
        "4xx at the dot",
        Fault("dot", reply="451 4.3.0 not now", address=THIRD, times=1),
        "pending",
        copies=0,
        ending=Ending.RETRIES_LEFT,
    ),
    Row(
        "421 at the dot",
        Fault("dot", reply="421 4.3.2 closing", drop=True, address=THIRD, times=1),
        "pending",
        copies=0,
        connections=2,
        ending=Ending.RETRIES_LEFT,
    ),
    # That recipient is refused, nobody else.
    Row("5xx at RCPT", Fault("rcpt", reply="550 5.1.1 no such mailbox", address=THIRD), "refused", copies=0),
    Row("5xx at DATA", Fault("data", reply="554 5.6.0 not this one", address=THIRD), "refused", copies=0),
    Row("5xx at the dot", Fault("dot", reply="554 5.7.1 spam", address=THIRD), "refused", copies=0),
    # It is us: the run ends with the server's words, nobody is refused.
    Row(
        "5xx at MAIL",
        Fault("mail", reply="550 5.7.1 sender refused"),
        tries=1,
        copies=0,
        ending=Ending.DOWN,
        everyone="pending",
    ),
    Row(
        "5xx at AUTH",
        Fault("auth", reply="535 5.7.8 wrong password"),
        tries=0,
        copies=0,
        ending=Ending.DOWN,
        everyone="pending",
    ),
    Row(
        "5xx at EHLO",
        Fault("ehlo", reply="550 5.7.1 not you"),
        tries=0,
        copies=0,
        ending=Ending.DOWN,
        everyone="pending",
    ),
    # Wait, reconnect, go on.
    Row("421 at MAIL", Fault("mail", reply="421 4.3.2 closing", drop=True, nth=3), connections=2),
    Row("421 at RCPT", Fault("rcpt", reply="421 4.7.0 slower", drop=True, nth=3), tries=2, connections=2),
    Row("421 at DATA", Fault("data", reply="421 4.3.2 closing", drop=True, nth=3), tries=2, connections=2),
    Row("421 at EHLO", Fault("ehlo", reply="421 4.3.2 closing", drop=True, times=2), connections=3),
    # Safe to try again: no mark.
    Row("drop at MAIL", Fault("mail", drop=True, nth=3), connections=2),
    Row("drop at RCPT", Fault("rcpt", drop=True, nth=3), tries=2, connections=2),
    Row("drop at DATA", Fault("data", drop=True, nth=3), tries=2, connections=2),
    Row("silence at RCPT", Fault("rcpt", stall=FOREVER, nth=3), tries=2, connections=2),
    # Nobody knows: listed, and never sent again by itself.
    Row("drop at the dot", Fault("dot", drop=True, nth=3), "uncertain", copies=0, connections=2),
    Row("silence at the dot", Fault("dot", stall=FOREVER, nth=3), "uncertain", copies=0, connections=2),
    Row("drop after it was taken", Fault("accepted", drop=True, nth=3), "uncertain", connections=2),
    Row("silence after it was taken", Fault("accepted", stall=FOREVER, nth=3), "uncertain", connections=2),
    # It was sent.
    Row("drop at QUIT", Fault("quit", drop=True)),
    Row("silence at QUIT", Fault("quit", stall=FOREVER)),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.fault.replace(" ", "-"))
async def test_a_fault_and_what_follows(stage: Stage, row: Row):
    """Every recipient ends in the state that the table gives, and the wire saw no more than it says."""
    stage.people(PEOPLE)
    campaign = stage.campaign()
    needs_login = row.script.stage == "auth"
    async with SmtpSink(faults=[row.script], logins=LOGIN if needs_login else None) as sink:
        login = {"username": "brief", "password_env": "P", "password": "right"} if needs_login else {}
        result = await stage.sending(campaign, over_smtp(sink, **login), orders=ONE_BY_ONE)
        expected = dict.fromkeys(stage.states(campaign), row.everyone or "sent")
        assert stage.states(campaign) == expected | ({} if row.everyone else {THIRD: row.third})
        assert (result.ending, result.account.reconciled) == (row.ending, True)
        first_tried = THIRD if not row.everyone else "gads1@quito.example"
        assert (tries(sink, first_tried), copies(sink)[THIRD], sink.connections) == (
            row.tries,
            row.copies,
            row.connections,
        )
        assert {copies(sink)[address] for address in expected if address != THIRD} == {0 if row.everyone else 1}
        listed = [line.recipient.email for line in stage.ledger.doubtful(campaign.id)]
        assert listed == ([THIRD] if row.third == "uncertain" else [])
        if row.ending is Ending.DOWN:
            assert result.reason == row.script.reply
        elif row.ending is Ending.RETRIES_LEFT:
            assert result.next_at == NOON + timedelta(minutes=5)
        await _five_minutes_later(stage, campaign, row, sink)


async def _five_minutes_later(stage, campaign, row, sink):
    """Nothing more goes out to anybody but to whom is owed a retry."""
    if row.everyone:
        return
    stage.clock.move_on(timedelta(minutes=5))
    seen = copies(sink)
    result = await stage.sending(campaign, over_smtp(sink), orders=ONE_BY_ONE)
    assert result.ending is Ending.DONE
    owed = {THIRD} if row.third == "pending" else set()
    assert copies(sink) - seen == dict.fromkeys(owed, 1)
    assert stage.states(campaign)[THIRD] == ("sent" if owed else row.third)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("body", drop=True, address=THIRD, times=1),
        Fault("body", stall=FOREVER, address=THIRD, times=1),
        Fault("body", reply="552 5.3.4 too big", drop=True, address=THIRD, times=1),
    ],
    ids=["drop", "silence", "a word"],
)
async def test_a_body_cut_short_leaves_no_mark(stage: Stage, fault: Fault):
    """A message that breaks off in its body was never handed over: it goes again, once, and nothing is listed."""
    stage.people(PEOPLE)
    campaign = stage.campaign()

    def heavy_for_the_third(claimed: Claimed) -> Message:
        message = make_message(claimed)
        body = b"y" * 70 + b"\r\n"
        return msgspec.structs.replace(
            message, content=message.content + body * (200_000 if THIRD in message.recipient else 1)
        )

    async with SmtpSink(faults=[fault]) as sink:
        result = await stage.sending(campaign, over_smtp(sink), orders=ONE_BY_ONE, make_message=heavy_for_the_third)
        assert (result.ending, result.account.sent) == (Ending.DONE, PEOPLE)
        assert (tries(sink, THIRD), sink.connections) == (2, 2)
        assert set(copies(sink).values()) == {1}
        assert list(stage.ledger.doubtful(campaign.id)) == []


async def test_nobody_listening_is_waited_for(stage: Stage):
    """A refused connection marks nobody, and when the server comes up everybody is sent one copy."""
    stage.people(PEOPLE)
    campaign = stage.campaign()
    async with SmtpSink() as down:
        port = down.port
    waits = []
    way = over_smtp(down)
    told = {"orders": HASTY, "progress": lambda progress: waits.append(progress.waiting)}
    sending = asyncio.create_task(stage.sending(campaign, way, **told))
    while not any(waits):  # noqa: ASYNC110 - the progress is a plain callback
        await asyncio.sleep(0.01)
    assert set(stage.states(campaign).values()) <= {"pending", "claimed"}
    async with SmtpSink(port=port) as sink:
        result = await sending
        assert (result.ending, result.account.sent) == (Ending.DONE, PEOPLE)
        assert set(copies(sink).values()) == {1}


async def test_greylisted_for_four_days_is_undeliverable(stage: Stage):
    """Retries never come within five minutes, grow apart, and end after four days; not a body goes out."""
    stage.people(2)
    campaign = stage.campaign()
    async with SmtpSink(faults=[Fault("rcpt", reply="450 4.2.0 greylisted", address="gads2@")]) as sink:
        spans = []
        while True:
            result = await stage.sending(campaign, over_smtp(sink), orders=ONE_BY_ONE)
            if result.next_at is None:
                break
            spans.append(result.next_at - stage.clock.now())
            stage.clock.move_on(spans[-1])
        assert stage.states(campaign) == {"gads1@quito.example": "sent", "gads2@quito.example": "undeliverable"}
        assert spans[0] == min(spans) == timedelta(minutes=5)
        assert timedelta(days=4) <= sum(spans, timedelta()) < timedelta(days=4, hours=1)
        assert tries(sink, "gads2@quito.example") == len(spans) + 1
        assert copies(sink)["gads2@quito.example"] == 0


async def test_a_storm_of_421_ends_with_everybody_sent(stage: Stage):
    """A server that hangs up over and over, at one stage after another, gets each message once."""
    stage.people(40)
    campaign = stage.campaign()
    closing = "421 4.3.2 closing"
    storm = [
        Fault("connect", reply=closing, drop=True, every=2),
        Fault("mail", reply=closing, drop=True, every=7),
        Fault("data", reply=closing, drop=True, every=11),
    ]
    async with SmtpSink(faults=storm) as sink:
        orders = Orders(connections=3, first_wait=0.01, longest_wait=0.05, heartbeat=0.05, losses=50)
        result = await stage.sending(campaign, over_smtp(sink), orders=orders)
        assert (result.ending, result.account.sent) == (Ending.DONE, 40)
        assert set(copies(sink).values()) == {1}


async def test_a_refusal_of_everybody_is_about_us(stage: Stage):
    """The same 5.7.1 at every RCPT pauses with the server's words instead of refusing a whole register."""
    stage.people(40)
    campaign = stage.campaign()
    async with SmtpSink(faults=[Fault("rcpt", reply="550 5.7.1 your address is listed")]) as sink:
        result = await stage.sending(campaign, over_smtp(sink))
        assert (result.ending, result.account.refused, result.account.pending) == (Ending.DOWN, 0, 40)
        assert "your address is listed" in result.reason
        assert not sink.accepted


async def test_what_a_server_does_not_offer_is_not_used(stage: Stage):
    """Without SMTPUTF8 a local part outside ASCII is refused here, and nothing of it is said; others go as 7-bit."""
    stage.people(3)
    stage.rename(2, "alcaldía@quito.example")
    campaign = stage.campaign()
    async with SmtpSink(offers=()) as sink:
        result = await stage.sending(campaign, over_smtp(sink))
        assert (result.account.sent, result.account.refused) == (2, 1)
        assert stage.states(campaign)["alcaldía@quito.example"] == "refused"
        assert tries(sink, "alcaldía@quito.example") == 0
        assert not [command for command in said(sink, "MAIL") if "BODY" in command or "UTF8" in command]


async def test_told_to_stop_while_the_server_is_slow(stage: Stage):
    """What is in flight lands and is recorded, what was claimed goes back, and the rest goes out next time."""
    stage.people(40)
    campaign = stage.campaign()
    stop = asyncio.Event()
    async with SmtpSink(faults=[Fault("accepted", stall=0.1)]) as sink:
        sending = asyncio.create_task(stage.sending(campaign, over_smtp(sink), stop=stop))
        while sink.count < 8:  # noqa: ASYNC110 - the sink counts, it does not call
            await asyncio.sleep(0.01)
        stop.set()
        result = await sending
        assert (result.ending, result.account.sent) == (Ending.STOPPED, sink.count)
        assert set(stage.states(campaign).values()) == {"sent", "pending"}
        sink.script.faults.clear()
        assert (await stage.sending(campaign, over_smtp(sink))).account.sent == 40
        assert set(copies(sink).values()) == {1}


@pytest.mark.parametrize("jump", [timedelta(days=-3), timedelta(days=400)], ids=["back", "ahead"])
async def test_a_clock_that_jumps_repeats_nobody(stage: Stage, jump: timedelta):
    """The wall clock jumps in mid-send and is put right: nobody is lost, repeated or given up."""
    stage.people(60)
    campaign = stage.campaign()
    async with SmtpSink(faults=[Fault("rcpt", reply="450 4.2.0 greylisted", nth=7)]) as sink:
        orders = Orders(connections=2, batch=10, first_wait=0.01, heartbeat=0.02)
        sending = asyncio.create_task(stage.sending(campaign, over_smtp(sink), orders=orders))
        while sink.count < 15:  # noqa: ASYNC110 - the sink counts, it does not call
            await asyncio.sleep(0.001)
        stage.clock.move_on(jump)
        await sending
        stage.clock.move_on(-jump + timedelta(minutes=5))
        result = await stage.sending(campaign, over_smtp(sink), orders=orders)
        assert (result.ending, result.account.sent) == (Ending.DONE, 60)
        assert set(copies(sink).values()) == {1}
