"""What a run is told, and what it tells."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec

from mailer.campaigns.account import Account
from mailer.deliveries.pace import Pace
from mailer.deliveries.window import Window


class Orders(msgspec.Struct, frozen=True):
    """
    How a campaign is to be sent.

    `first_wait` to `longest_wait` (seconds, doubling) is the back-off after a lost connection, `heartbeat` how often
    the campaign's state is looked at, `drain` how long what is in flight may take to land.
    `number` is that of this process among `processes`, which share the connections and serve different lanes where
    a domain allows fewer connections than there are processes.
    After `losses` lost connections over one message, while others go through, that message is suspected and put off.
    """

    connections: int = 4
    batch: int = 100
    pace: Pace = Pace()
    window: Window | None = None
    number: int = 0
    processes: int = 1
    on_uncertain: Literal["hold", "resend"] = "hold"
    lease: timedelta = timedelta(seconds=45)
    first_wait: float = 1.0
    longest_wait: float = 60.0
    heartbeat: float = 0.5
    drain: float = 60.0
    losses: int = 3

    @property
    def own_connections(self) -> int:
        """The part of the connections that this process opens."""
        return _part(self.connections, self.number, self.processes)

    def connections_of(self, lane: str) -> int | None:
        """The part of a lane's connections that is this process's; None: as many as there are."""
        limits = self.pace.domains.get(lane)
        if limits is None or limits.connections is None:
            return None
        return _part(limits.connections, self.number, self.processes)

    def share(self, lane: str) -> bool:
        """Whether this process serves the lane at all."""
        return self.connections_of(lane) != 0


def _part(whole: int, number: int, parts: int) -> int:
    """Deal out `whole` among `parts` as evenly as can be."""
    return whole // parts + (number < whole % parts)


class Ending(StrEnum):
    """How a run ended."""

    DONE = "done"  # nothing is open
    RETRIES_LEFT = "retries left"  # `next_at` says when the next is due
    PACED = "paced"  # the rate or its quota is used up until `next_at`
    OUT_OF_HOURS = "out of hours"  # the window opens at `next_at`
    DOWN = "down"  # we are refused; `reason` holds the other side's words
    STOPPED = "stopped"  # asked to, or the campaign was paused or cancelled


class Result(msgspec.Struct, frozen=True):
    """What a run left behind."""

    ending: Ending
    account: Account
    next_at: datetime | None = None
    reason: str = ""


class Progress(msgspec.Struct, frozen=True):
    """How far a run has come: what it closed, of that what was sent, and what keeps it waiting, if anything does."""

    closed: int = 0
    sent: int = 0
    waiting: str = ""
