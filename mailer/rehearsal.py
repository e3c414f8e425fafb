"""
A campaign tried out: the publication as it is, but with a copy of the register, a local server and a clock that waits
for nobody.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from mailer import dispatch
from mailer.app import App
from mailer.campaigns import advance
from mailer.campaigns.campaign import Campaign
from mailer.clock import SystemClock
from mailer.deliveries.delivery import State
from mailer.deliveries.orders import Ending, Orders, Result
from mailer.errors import Refused
from mailer.outgoing import Outgoing
from mailer.storage.register.copying import copy_register
from mailer.testing import Fault

_WHO: Final = "rehearsal"
_LONGEST: Final = timedelta(days=8)  # twice what a retry may take


_MILD: Final = (
    Fault("connect", reply="421 4.3.2 busy, come back", drop=True, every=3),
    Fault("mail", reply="421 4.3.2 closing", drop=True, every=60),
    Fault("rcpt", reply="450 4.2.0 greylisted", every=10),
    Fault("rcpt", reply="550 5.1.1 no such mailbox", every=41),
)
_HARSH: Final = (
    Fault("mail", reply="550 5.7.1 sender not allowed, for once", nth=50),
    Fault("data", drop=True, every=37),
    Fault("dot", reply="451 4.3.0 not now", every=13),
    Fault("dot", reply="554 5.7.1 looks like spam", every=59),
    Fault("dot", drop=True, every=43),
    Fault("accepted", drop=True, every=47),
)
SCRIPTS: Final = {"none": (), "mild": _MILD, "harsh": _MILD + _HARSH}
"""What the server does wrong: mild is a bad day of a mail server, harsh is its worst week in one hour."""


class Ahead(SystemClock):
    """The system's clock, moved on so that nobody waits for a retry."""

    by = timedelta()

    def now(self) -> datetime:
        """The instant, UTC, with all that was skipped."""
        return super().now() + self.by


class _Hasty(Outgoing):
    """What reconnects at once: the local server needs no rest."""

    def orders(self, *, number: int = 0, processes: int = 1) -> Orders:
        return replace(super().orders(number=number, processes=processes), first_wait=0.02, longest_wait=0.2)


class Stage(App):
    """The publication, but for its database (a copy in a folder), its way out and its clock."""

    def __init__(self, app: App, folder: Path, port: int) -> None:
        self.ahead = Ahead()
        config = replace(
            app.config,
            database=replace(app.config.database, url=f"sqlite:///{folder / 'mailer.db'}"),
            # One process, for no other knows of our clock; and no pace, for nobody outside has to bear it.
            delivery=replace(app.config.delivery, transport="rehearsal", processes=1, rate=(), window="", domains={}),
            transports={"rehearsal": {"kind": "smtp", "host": "127.0.0.1", "port": port, "security": "none"}},
        )
        super().__init__(replace(app.loaded, config=config), clock=self.ahead)
        copy_register(app.database, self.database)

    @cached_property
    def outgoing(self) -> Outgoing:
        """The ways out, without a rest between two connections."""
        return _Hasty(self.loaded, self.calendar.zone)


def carry_out(stage: Stage, issue: str, segments: Sequence[str], tell: Callable[[str], None]) -> Campaign:
    """
    Approve, open, freeze and send; what a person and a week would do is done at once, and told.

    Raises:
        Refused: Nobody in the segments may be written to, or the issue doesn't pass its check.

    """
    if not sum(stage.ledger.forecast(segments, rules=stage.rules_of(segments)).values()):
        raise Refused(f"nobody in {', '.join(segments)} may be written to; import a list first")
    dispatch.approve(stage, issue, _WHO)
    opened = dispatch.open_campaign(stage, stage.compile(issue)[1], segments, by=_WHO)
    campaign = dispatch.begin(stage, opened, who=_WHO)
    end = stage.clock.now() + _LONGEST
    while stage.clock.now() < end:
        result = asyncio.run(dispatch.send(stage, campaign))
        if not _goes_on(stage, campaign, result, tell):
            break
    return stage.agenda.get(campaign.id)


def _goes_on(stage: Stage, campaign: Campaign, result: Result, tell: Callable[[str], None]) -> bool:
    """Let the time pass until the next retry; go on with a campaign that was paused, as a person would."""
    now = stage.clock.now()
    if result.ending is Ending.DOWN:
        tell(f'paused: the server said "{result.reason}"; a person would look, and resume it')
        advance.resume(stage.agenda, stage.agenda.get(campaign.id), who=_WHO, now=now)
        return True
    if result.next_at is None:
        return False
    tell(f"{result.account.pending} put off until {dispatch.local_time(stage, result.next_at)}; the clock is moved on")
    stage.ahead.by += max(result.next_at - now, timedelta())
    return True


def compare(stage: Stage, campaign: Campaign, accepted: Sequence[str]) -> tuple[int, int]:
    """
    What the ledger says beside the Message-IDs that the server took.

    Returns:
        How many are marked as sent and were not received, and how many were received twice and are not listed.

    """
    copies = Counter(accepted)
    listed = {line.id for line in stage.ledger.doubtful(campaign.id)}
    lost = unlisted = 0
    for line in stage.ledger.deliveries(campaign.id):
        count = copies[stage.message_id(campaign.id, line.recipient.subscriber_id)]
        lost += line.state is State.SENT and not count
        unlisted += count > 1 and line.id not in listed
    return lost, unlisted
