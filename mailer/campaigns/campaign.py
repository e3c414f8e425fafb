"""A campaign: one sending of an issue to segments, and the moves it may make."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from mailer.errors import Refused


class State(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    HELD = "held"


MOVES: Final[dict[State, frozenset[State]]] = {
    State.DRAFT: frozenset({State.APPROVED, State.HELD, State.CANCELLED}),
    State.APPROVED: frozenset({State.SCHEDULED, State.SENDING, State.HELD, State.CANCELLED}),
    State.SCHEDULED: frozenset({State.SENDING, State.HELD, State.CANCELLED}),
    State.SENDING: frozenset({State.PAUSED, State.FINISHED, State.CANCELLED}),
    State.PAUSED: frozenset({State.SENDING, State.CANCELLED}),
    State.HELD: frozenset({State.CANCELLED}),
    # An uncertain delivery that a person orders sent again opens what was closed.
    State.FINISHED: frozenset({State.SENDING}),
    State.CANCELLED: frozenset(),
}


class Campaign(msgspec.Struct, frozen=True):
    """
    One sending of an issue, bound to the hash of the content that was signed off.

    `recipients` is what the freeze counted; the sums of its deliveries are held against it. `signed_with` names the
    secret that signed its links and Message-IDs at first, so that a message sent again is the same. `rules` are those
    of its segments (and of what is `excluded`) that are by rule, as they stood when it was ordered.
    """

    id: int
    issue: str
    content_hash: str
    segments: tuple[str, ...]
    state: State
    created_at: datetime
    created_by: str = ""
    reason: str = ""
    scheduled_at: datetime | None = None
    frozen_at: datetime | None = None
    finished_at: datetime | None = None
    recipients: int = 0
    signed_with: str = ""
    rules: Mapping[str, str] = {}
    excluded: tuple[str, ...] = ()

    @property
    def holds_its_segments(self) -> bool:
        """Whether its segments have had the issue, or are about to."""
        return self.state not in {State.DRAFT, State.HELD} and not (
            self.state is State.CANCELLED and self.frozen_at is None
        )


def move(campaign: Campaign, to: State, *, reason: str = "") -> Campaign:
    """
    The campaign in its next state; the only way a state changes.

    Raises:
        Refused: The campaign can't go there from where it stands.

    """
    if to is campaign.state:
        raise Refused(f"campaign {campaign.id} is {to} already")
    if to not in MOVES[campaign.state]:
        raise Refused(f"campaign {campaign.id} is {campaign.state}; it can't become {to}")
    return msgspec.structs.replace(campaign, state=to, reason=reason)
