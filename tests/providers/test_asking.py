"""What a sender that was killed in mid-request left behind is asked for at the provider, where it can be asked."""

from datetime import timedelta

import pytest

from mailer.deliveries.delivery import Handed, State
from mailer.deliveries.process import Process
from tests.databases import empty_books
from tests.deliveries.stage import Stage
from tests.providers.esp import HERE, KINDS, NOT_HERE, TAKEN, Esp, transport
from tests.providers.test_campaign import make_message


def killed_in_mid_request(stage: Stage, campaign, way: str) -> None:
    """A run that recorded a hand-off, and then nothing more."""
    run = stage.ledger.begin(campaign.id, Process("elsewhere", 1, "then"), lease=timedelta(0), now=stage.clock.now())
    (claimed,) = stage.ledger.claim(run, 1, now=stage.clock.now())
    stage.ledger.record(run, [Handed(claimed.id, way)], [], now=stage.clock.now())
    stage.ledger.end(run, now=stage.clock.now())
    assert set(stage.states(campaign).values()) == {State.UNCERTAIN}


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("kind", KINDS)
async def test_what_the_provider_has_is_sent(kind: str, tmp_path, *, is_there: bool) -> None:
    """Nothing is posted again; what is found by our id counts as sent, and what isn't found stays uncertain."""
    stage = Stage(empty_books(tmp_path / "mailer.db"))
    stage.people(1)
    campaign = stage.campaign()
    killed_in_mid_request(stage, campaign, kind)
    listed = (HERE if is_there else NOT_HERE).get(kind, {})
    async with Esp(lambda _: TAKEN[kind], probe=lambda _: (200, {}, listed)).running() as esp:
        result = await stage.sending(campaign, transport(kind, esp.url), make_message=make_message)
    expected = State.SENT if is_there and kind in HERE else State.UNCERTAIN
    assert stage.states(campaign) == {"gads1@quito.example": expected}
    assert esp.posted == []
    assert result.account.reconciled
    stage.close()
