"""A worker that was set up with another secret than the rest."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from mailer import config, dispatch
from mailer.app import App
from mailer.cluster.sessions import Sessions
from mailer.storage.slices import Slice
from mailer.testing.clock import FrozenClock
from tests.publication import Publication


async def test_a_worker_with_another_secret_sends_nothing(tmp_path: Path):
    """By the links that it would write nobody could leave: it says what to set, gives its slice back and stops."""
    publication = Publication.small(tmp_path)
    publication.enlist(3, "gads")
    clock = FrozenClock(datetime(2022, 11, 30, 14, tzinfo=UTC))
    right = App(config.load(publication.config), clock)
    other = App(config.load(publication.config, {"MAILER_SECRET": "quite another secret than the rest"}), clock)
    dispatch.approve(right, "2022-11", "Dirección")
    opened = dispatch.open_campaign(right, dispatch.prepare(right, "2022-11"), ["gads"], by="test")
    dispatch.begin(right, opened, who="test")
    sessions = Sessions(other, stop := asyncio.Event())
    assert await sessions.carry_out(Slice(opened.id, first=1, last=100)) == clock.now()
    assert "set MAILER_SECRET" in str(sessions.refusal)
    assert stop.is_set()
    assert right.ledger.account(opened.id).pending == 3
    right.close()
    other.close()
