"""What a run is told, and what it tells."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec

from mailer.campaigns.account import Account


class Orders(msgspec.Struct, frozen=True):
    """
    How a campaign is to be sent.

    `first_wait` to `longest_wait` (seconds, doubling) is the back-off after a lost connection, `heartbeat` how often
    the campaign's state is looked at, `drain` how long what is in flight may take to land.
    After `losses` lost connections over one message, while others go through, that message is suspected and put off.
    """

    connections: int = 4
    batch: int = 100
    on_uncertain: Literal["hold", "resend"] = "hold"
    lease: timedelta = timedelta(seconds=45)
    first_wait: float = 1.0
    longest_wait: float = 60.0
    heartbeat: float = 0.5
    drain: float = 60.0
    losses: int = 3


class Ending(StrEnum):
    """How a run ended."""

    DONE = "done"  # nothing is open
    RETRIES_LEFT = "retries left"  # `next_at` says when the next is due
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
