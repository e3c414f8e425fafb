"""Sending: each recipient once, whatever the other side does."""


from stage import Stage, Toy

from mailer.deliveries.orders import Ending


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
