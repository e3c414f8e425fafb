"""A delivery: one message's way out, and the moves it may make. Each recipient has exactly one."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from mailer.audience.recipient import Recipient


class State(StrEnum):
    """Where a delivery stands. The first three are open; the others are ends, of which a person may reopen two."""

    PENDING = "pending"
    CLAIMED = "claimed"
    HANDED = "handed"
    SENT = "sent"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"
    UNDELIVERABLE = "undeliverable"
    UNCERTAIN = "uncertain"


OPEN: Final = (State.PENDING, State.CLAIMED, State.HANDED)

MOVES: Final[dict[State, frozenset[State]]] = {
    State.PENDING: frozenset({State.CLAIMED, State.SUPPRESSED}),
    # Released, put off, refused before the hand-off, or handed over.
    State.CLAIMED: frozenset({State.PENDING, State.HANDED, State.REFUSED, State.UNDELIVERABLE}),
    State.HANDED: frozenset({State.PENDING, State.SENT, State.REFUSED, State.UNDELIVERABLE, State.UNCERTAIN}),
    # Settled by a person or the policy: taken as sent, or sent again.
    State.UNCERTAIN: frozenset({State.PENDING, State.SENT}),
    # When everybody was refused in the same words, it was us that was meant (see `streak`).
    State.REFUSED: frozenset({State.PENDING}),
    State.SENT: frozenset(),
    State.SUPPRESSED: frozenset(),
    State.UNDELIVERABLE: frozenset(),
}


def move(before: State, after: State) -> State:
    """
    The next state of a delivery.

    >>> move(State.CLAIMED, State.HANDED)
    <State.HANDED: 'handed'>

    Raises:
        ValueError: There is no such move.

    """
    if after not in MOVES[before]:
        raise ValueError(f"a {before} delivery can't become {after}")
    return after


def sources(after: State) -> tuple[State, ...]:
    """
    The states from which a delivery may come to `after`: what the ledger demands in every UPDATE.

    >>> [str(state) for state in sources(State.SENT)]
    ['handed', 'uncertain']
    """
    return tuple(before for before, allowed in MOVES.items() if after in allowed)


class Claimed(msgspec.Struct, frozen=True):
    """A delivery that one run has taken on; `refused_before` says that it was refused once and reprieved."""

    id: int
    campaign_id: int
    recipient: Recipient
    attempts: int
    deferred_since: datetime | None = None
    refused_before: bool = False
    domain: str = ""
    lane: str = ""


class Handed(msgspec.Struct, frozen=True):
    """A delivery whose end of data may leave now, and the transport that it leaves by."""

    id: int
    transport: str = ""


class Settlement(msgspec.Struct, frozen=True):
    """What came of one attempt. `due_at` is set when it is to be tried again; a provider that took it gave it an id."""

    id: int
    state: State
    reply: str = ""
    code: int = 0
    status: str = ""
    due_at: datetime | None = None
    deferred: bool = False
    provider_id: str = ""


class Delivery(msgspec.Struct, frozen=True):
    """
    One line of the ledger, as people and programs read it.

    `uncertain_at` stays once it is set, whatever became of the delivery: a second copy is possible for it.
    `feedback` is the weightiest thing that came back of it (`feedback.event.Happening`), or nothing.
    """

    id: int
    campaign_id: int
    recipient: Recipient
    state: State
    attempts: int
    reply: str
    code: int
    status: str
    updated_at: datetime
    due_at: datetime
    uncertain_at: datetime | None = None
    transport: str = ""
    feedback: str = ""
