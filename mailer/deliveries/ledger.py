"""The port of the book that keeps every delivery: once per person, from the freeze to the account."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from mailer.campaigns.account import Account
from mailer.campaigns.campaign import State as CampaignState
from mailer.deliveries.delivery import Claimed, Delivery, Handed, Settlement, State
from mailer.deliveries.pace import COMMON
from mailer.deliveries.process import Process
from mailer.deliveries.rate import Grant, Rate
from mailer.errors import MailerError


class LeaseLost(MailerError):
    """The run was taken for dead, and its deliveries were taken over: it may write no more, and nobody need act."""

    def __init__(self, why: str = "this sender was taken for dead and another took over; it stops here") -> None:
        super().__init__(why)


class Run(msgspec.Struct, frozen=True):
    """One sender at work on one campaign. Its number is the fencing token of all it claims."""

    id: int
    campaign_id: int


class Ledger(Protocol):
    """
    The deliveries of all campaigns. Each method is one durable transaction.

    Leases are reckoned in the database's time; when a retry is due, in the caller's.
    """

    def freeze(self, campaign: int, *, language: str, now: datetime, signed_with: str = "") -> int:
        """Step 1: fix who gets it, one delivery a recipient; asked again, it changes nothing. Gives their number."""
        ...

    def begin(self, campaign: int, process: Process, *, lease: timedelta, now: datetime) -> Run:
        """Step 6, then enter a run: of what dead ones left, claimed becomes pending and handed becomes uncertain."""
        ...

    def renew(self, run: Run, lease: timedelta) -> None:
        """
        Prolong the lease of all that the run holds.

        Raises:
            LeaseLost: Another run took it over.

        """
        ...

    def campaign_state(self, campaign: int) -> CampaignState:
        """Where the campaign stands now: a sender looks here to learn that it was paused or cancelled."""
        ...

    def sort(self, campaign: int, domains: Collection[str]) -> None:
        """Put what is pending for these domains in lanes of their own."""
        ...

    def lanes(self, campaign: int) -> dict[str, datetime]:
        """The lanes in which something is pending, each with the instant when its next one is due."""
        ...

    def grant(self, scope: str, rate: Rate, wanted: int, *, now: datetime) -> Grant:
        """Give leave for up to `wanted` messages under a limit that all senders share (see `rate.grant`)."""
        ...

    def hand_back(self, scope: str, rate: Rate, number: int) -> None:
        """Take back leave that was not used."""
        ...

    def claim(self, run: Run, limit: int, *, now: datetime, lane: str = COMMON) -> list[Claimed]:
        """
        Step 2: take on up to `limit` deliveries of a lane that are due; who may not be written to becomes suppressed.

        Empty when nothing is due, or the campaign isn't sending.

        Raises:
            LeaseLost: The run was taken for dead.

        """
        ...

    def record(
        self, run: Run, handed: Sequence[Handed], settled: Sequence[Settlement], *, now: datetime
    ) -> Collection[int]:
        """
        Steps 4 and 5: write hand-offs and outcomes in one commit; on return they are on the disk.

        Gives the deliveries that the run no longer held and that were left as they are.
        """
        ...

    def release(self, run: Run, deliveries: Sequence[int]) -> None:
        """Give claimed deliveries back, untried."""
        ...

    def end(self, run: Run, *, now: datetime) -> None:
        """Close the run: what it still holds is recovered as if it had died."""
        ...

    def resend_uncertain(self, campaign: int, *, due_at: datetime, now: datetime) -> int:
        """
        Under the policy `resend`: put what is uncertain back in the queue, once each; it stays marked.

        A campaign that was finished meanwhile goes on, here and in `resolve`.
        """
        ...

    def account(self, campaign: int) -> Account:
        """The sums, from one read."""
        ...

    def accounts(self, campaign: int) -> dict[str, Account]:
        """The sums of each segment, and of all under the name of none; from one read."""
        ...

    def next_due(self, campaign: int) -> datetime | None:
        """When the next pending delivery is due; None if none is pending."""
        ...

    def deliveries(self, campaign: int, state: State | None = None) -> Iterator[Delivery]:
        """Stream the deliveries of a campaign, in the order of the freeze."""
        ...

    def doubtful(self, campaign: int) -> Iterator[Delivery]:
        """Stream what is or was ever uncertain: a second copy is possible for these and no others."""
        ...

    def resolve(self, campaign: int, to: State, *, emails: Sequence[str], who: str, now: datetime) -> int:
        """Settle uncertain deliveries (all, or those of `emails`): `sent` accepts them, `pending` sends them again."""
        ...
