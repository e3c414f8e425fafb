"""
★ Absorbs what came back: each event finds its delivery, moves it, and reaches suppressions and consent by policy.

Only what names its delivery by a token of ours, or comes with a provider's signature, has effects: anybody can send a
mail that says an ambassador's address is dead. The rest is kept, listed and counted, and waits for a person.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final, Protocol

import msgspec

from mailer.feedback.event import Event, Happening, fit_to_keep
from mailer.feedback.reason import Reason

# Trouble of ours or of the way, which says nothing about the address: such bounces don't add up to a pause.
OURS = frozenset({Reason.REPUTATION, Reason.AUTH, Reason.POLICY, Reason.CONTENT, Reason.SIZE, Reason.RATE, Reason.TLS})


# A provider hands in thousands at once and doesn't wait long; other writers wait for no more than these.
_TOGETHER: Final = 100


class Policy(msgspec.Struct, frozen=True):
    """How many bounces are enough: hard ones for good, soft ones within a span for a while."""

    hard_bounces: int = 1
    soft_bounces: int = 3
    soft_within: timedelta = timedelta(days=180)
    soft_pause: timedelta = timedelta(days=90)


class Suppression(msgspec.Struct, frozen=True):
    """Not to be written to, and why; without an end it is for good."""

    reason: str
    note: str
    until: datetime | None = None


class Past(msgspec.Struct, frozen=True):
    """What is known of a recipient's earlier bounces, this event not counted."""

    hard: int = 0
    soft: int = 0


class Effect(msgspec.Struct, frozen=True):
    """What follows from an event for consent and suppressions."""

    suppress: Suppression | None = None
    unsubscribe: bool = False


class Recorded(StrEnum):
    """What became of an event."""

    KNOWN = "known"  # seen before: nothing was done again
    RECORDED = "recorded"
    SUPPRESSED = "suppressed"
    UNSUBSCRIBED = "unsubscribed"
    UNATTRIBUTED = "unattributed"


class TokenSpent(Exception):
    """Another event used up the token that this one came with."""


class Owner(msgspec.Struct, frozen=True):
    """Whose event it is: the address that we wrote to, the subscriber, and the campaign where it is known."""

    address: str
    subscriber_id: int | None = None
    campaign_id: int | None = None


class Page(Protocol):
    """The book of feedback, open for one transaction."""

    def knows(self, event: Event) -> bool:
        """Whether the event was recorded before."""
        ...

    def spend(self, token: str) -> bool:
        """Use up a token that is good for one event; False if it was used before."""
        ...

    def owner_of(self, event: Event) -> Owner | None:
        """Whose event it is, or None if it can't be proved."""
        ...

    def past_of(self, owner: Owner, since: datetime) -> Past:
        """The bounces recorded of that recipient: hard ones ever, soft ones since then that were the address's."""
        ...

    def forget(self, event: Event) -> None:
        """Take an event out that could not be attributed."""
        ...

    def record(self, event: Event, owner: Owner | None, evidence: bytes, outcome: Recorded) -> None:
        """Keep the event, and let its delivery be known by the weightier of what it was and is."""
        ...

    def suppress(self, owner: Owner, suppression: Suppression) -> None:
        """See that the address is not written to; a longer suppression that is there stays."""
        ...

    def unsubscribe(self, owner: Owner) -> None:
        """Let the subscriber leave everything."""
        ...


class FeedbackBook(Protocol):
    """Where feedback is kept."""

    def open(self) -> AbstractContextManager[Page]:
        """One transaction: all of it holds, or nothing."""
        ...


def absorb(
    events: Iterable[Event], *, book: FeedbackBook, policy: Policy, now: datetime, evidence: bytes = b""
) -> list[Recorded]:
    """
    Record events and do what follows from them, a hundred in one transaction; say what became of each.

    The same event counts once. The order in which events come doesn't matter.

    Raises:
        TokenSpent: An event's token was used by another; nothing of that event is recorded.

    """
    outcomes: list[Recorded] = []
    given = iter(events)
    while some := list(map(fit_to_keep, islice(given, _TOGETHER))):
        with book.open() as page:
            outcomes += [_absorb_one(event, page, policy, now, evidence) for event in some]
    return outcomes


def attribute(
    events: Iterable[Event], *, book: FeedbackBook, policy: Policy, now: datetime, evidence: bytes = b""
) -> list[Recorded]:
    """
    Try again on events that could not be attributed; what still can't be stays as it is.

    Taking one out and absorbing it anew is one transaction.
    """
    outcomes = []
    for event in events:
        with book.open() as page:
            if page.owner_of(event) is None:
                outcomes.append(Recorded.UNATTRIBUTED)
                continue
            page.forget(event)
            outcomes.append(_absorb_one(event, page, policy, now, evidence))
    return outcomes


def _absorb_one(event: Event, page: Page, policy: Policy, now: datetime, evidence: bytes) -> Recorded:
    if page.knows(event):
        return Recorded.KNOWN
    if event.token and not page.spend(event.token):
        raise TokenSpent
    owner = page.owner_of(event)
    if owner is None:
        page.record(event, None, event.evidence or evidence, Recorded.UNATTRIBUTED)
        return Recorded.UNATTRIBUTED
    effect = effect_of(event, page.past_of(owner, event.at - policy.soft_within), policy, now)
    outcome = Recorded.RECORDED
    if effect.suppress:
        page.suppress(owner, effect.suppress)
        outcome = Recorded.SUPPRESSED
    if effect.unsubscribe and owner.subscriber_id is not None:
        page.unsubscribe(owner)
        outcome = Recorded.UNSUBSCRIBED
    page.record(event, owner, event.evidence or evidence, outcome)
    return outcome


def effect_of(event: Event, past: Past, policy: Policy, now: datetime) -> Effect:
    """
    What follows from an event, given what was known before.

    >>> from datetime import UTC
    >>> now = datetime(2022, 12, 1, tzinfo=UTC)
    >>> bounced = Event("1", Happening.BOUNCED, now, "mailbox", reason=Reason.UNKNOWN_USER, hard=True)
    >>> effect_of(bounced, Past(), Policy(), now).suppress.note
    'hard bounce: unknown_user'
    """
    if event.happening is Happening.COMPLAINED:
        return Effect(suppress=Suppression("complaint", "the reader called it spam"))
    if event.happening is Happening.UNSUBSCRIBED:
        return Effect(unsubscribe=True)
    if event.happening is not Happening.BOUNCED:
        return Effect()
    told = f"{event.reason} {event.status}".strip()
    if event.hard:
        enough = past.hard + 1 >= policy.hard_bounces
        return Effect(suppress=Suppression("bounce", f"hard bounce: {told}") if enough else None)
    if counts(event.reason) and past.soft + 1 >= policy.soft_bounces:
        note = f"{past.soft + 1} soft bounces, the last: {told}"
        return Effect(suppress=Suppression("bounce", note, until=max(now, event.at) + policy.soft_pause))
    return Effect()


def counts(reason: Reason) -> bool:
    """
    Whether a soft bounce of that reason says something about the address, and not about us.

    >>> counts(Reason.MAILBOX_FULL), counts(Reason.REPUTATION)
    (True, False)
    """
    return reason not in OURS
