"""The port of the book that keeps campaigns, approvals and the fires of the schedule."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from mailer.campaigns.approval import Approval
from mailer.campaigns.campaign import Campaign


class Agenda(Protocol):
    """What is planned, running and done. Each method is one transaction, or joins the one of `alone`."""

    def alone(self) -> AbstractContextManager[None]:
        """A span in which nobody else opens or moves a campaign: look, decide and write without a race."""
        ...

    def add(self, campaign: Campaign) -> Campaign:
        """Write a new campaign down; it comes back with its number."""
        ...

    def get(self, campaign: int) -> Campaign:
        """
        The campaign of that number.

        Raises:
            Refused: There is none.

        """
        ...

    def campaigns(self, issue: str | None = None) -> list[Campaign]:
        """All campaigns, or those of one issue, oldest first."""
        ...

    def save(self, before: Campaign, after: Campaign, *, who: str, at: datetime) -> Campaign:
        """
        Write a move down, with who made it.

        Raises:
            Refused: Somebody else moved the campaign since `before` was read.

        """
        ...

    def approve(self, approval: Approval) -> None:
        """Keep a sign-off; the latest one of an issue counts."""
        ...

    def approval(self, issue: str) -> Approval | None:
        """The latest sign-off of an issue."""
        ...

    def fire(self, schedule: str, at: datetime, *, now: datetime) -> bool:
        """Note that a schedule fired for the instant `at`; false if that was noted before, by whomever."""
        ...

    def fires(self, schedule: str) -> Iterator[datetime]:
        """The instants a schedule fired for, oldest first."""
        ...
