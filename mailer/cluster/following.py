"""Following a campaign that others send, for whoever waits in the foreground."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from mailer.app import App
from mailer.campaigns.campaign import Campaign, State
from mailer.deliveries.orders import Ending, Progress, Result
from mailer.storage.election import is_anybody_elected
from mailer.storage.workers import Roster

_LOOK: Final = 1.0


def are_others_at_work(app: App) -> bool:
    """Whether a scheduler is elected and somebody sends: then a campaign that may be sent is theirs."""
    if app.database.is_sqlite:
        return False
    alive = any(not entry.is_lost for entry in Roster(app.database).entries())
    return alive and is_anybody_elected(app.database)


async def follow(
    app: App,
    campaign: Campaign,
    *,
    stop: asyncio.Event | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Result:
    """Wait until nothing of a campaign is due or it is no longer sent, or until told to stop; it goes on without us."""
    stop = stop or asyncio.Event()
    before = await asyncio.to_thread(app.ledger.account, campaign.id)
    while True:
        current = await asyncio.to_thread(app.agenda.get, campaign.id)
        account = await asyncio.to_thread(app.ledger.account, campaign.id)
        next_at = await asyncio.to_thread(app.ledger.next_due, campaign.id)
        progress(Progress(account.closed - before.closed, account.sent - before.sent))
        if current.state is State.PAUSED:
            return Result(Ending.DOWN, account, next_at, current.reason)
        if current.state is not State.SENDING or stop.is_set():
            return Result(Ending.STOPPED if account.pending else Ending.DONE, account, next_at)
        if next_at is not None and next_at > app.clock.now():
            return Result(Ending.RETRIES_LEFT, account, next_at)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _LOOK)
