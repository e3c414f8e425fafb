"""Several ways out: the next takes over when one is down, and never for what may have been handed over."""

from datetime import timedelta

from stage import Behaviour, Stage, Toy

from mailer.deliveries.delivery import State
from mailer.deliveries.failover import FIRST_REST
from mailer.deliveries.orders import Ending
from mailer.deliveries.transport import ConnectionLost, RecipientRefused, TransportDown, Uncertain


class Gate(Toy):
    """A toy that can be shut, so that nobody can connect to it or it refuses us."""

    def __init__(self, name: str, behaviour: Behaviour | None = None) -> None:
        super().__init__(behaviour=behaviour)
        self.name = name
        self.shut: Exception | None = None

    async def open(self) -> object:
        if self.shut:
            raise self.shut
        return await super().open()


def transports(stage: Stage, campaign: object) -> dict[str, str]:
    return {line.recipient.email: line.transport for line in stage.ledger.deliveries(campaign.id)}


def test_the_next_takes_over_when_nobody_answers(stage: Stage):
    """A first way that can't be reached costs nobody anything; the deliveries say which way they went."""
    stage.people(20)
    campaign = stage.campaign()
    first, second = Gate("smtp"), Gate("spare")
    first.shut = ConnectionLost("connection refused")
    result = stage.send(campaign, [first, second])
    assert (result.ending, len(second.taken)) == (Ending.DONE, 20)
    assert set(transports(stage, campaign).values()) == {"spare"}


def test_the_next_takes_over_when_the_first_refuses_us(stage: Stage):
    """A sender refused in mid-conversation goes on by the next way, with nobody marked and nothing paused."""
    stage.people(20)
    campaign = stage.campaign()

    def refuse(_: str) -> None:
        if len(first.taken) >= 5:
            raise TransportDown("550 5.7.1 sender blocked", code=550, status="5.7.1")

    first, second = Gate("smtp", Behaviour(before=refuse)), Gate("spare")
    result = stage.send(campaign, [first, second])
    assert (result.ending, result.account.sent) == (Ending.DONE, 20)
    assert 5 <= len(first.taken) <= 8  # what was in flight
    assert len(first.taken) + len(second.taken) == 20


def test_when_all_refuse_us_the_campaign_is_down(stage: Stage):
    """With no way left the run ends as with a single one: with the other side's words."""
    stage.people(5)
    campaign = stage.campaign()
    first, second = Gate("smtp"), Gate("spare")
    first.shut, second.shut = TransportDown("535 no"), TransportDown("401 neither")
    result = stage.send(campaign, [first, second])
    assert (result.ending, result.account.pending) == (Ending.DOWN, 5)


def test_a_refused_or_uncertain_recipient_never_changes_the_way(stage: Stage):
    """Who was refused stays refused, and what may have been handed over is not handed over by another way."""
    stage.people(20)
    campaign = stage.campaign()

    def fail(address: str) -> None:
        if address == "gads3@quito.example":
            raise RecipientRefused("550 5.1.1 unknown", code=550, status="5.1.1")
        if address == "gads7@quito.example":
            raise Uncertain("no answer")

    first, second = Gate("smtp", Behaviour(after=fail)), Gate("spare")
    result = stage.send(campaign, [first, second])
    assert (result.account.sent, result.account.refused, result.account.uncertain) == (18, 1, 1)
    assert second.taken == []
    assert next(stage.ledger.deliveries(campaign.id, State.UNCERTAIN)).transport == "smtp"


def test_it_goes_back_to_the_first_after_a_while(stage: Stage):
    """When the first way is up again, open channels change back to it between two messages."""
    stage.people(40)
    campaign = stage.campaign()

    def mend(_: str) -> None:
        if len(second.taken) >= 10 and first.shut:
            first.shut = None
            stage.clock.move_on(FIRST_REST + timedelta(seconds=1))

    first, second = Gate("smtp"), Gate("spare", Behaviour(after=mend))
    first.shut = ConnectionLost("connection refused")
    result = stage.send(campaign, [first, second])
    assert (result.ending, result.account.sent) == (Ending.DONE, 40)
    assert 10 <= len(second.taken) < 20
    assert len(first.taken) == 40 - len(second.taken)
