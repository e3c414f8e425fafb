"""One vocabulary for everything that comes back, whether by mail or by a provider's webhook."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from mailer.feedback.reason import Reason


class Happening(StrEnum):
    """What came back."""

    DEFERRED = "deferred"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    ANSWERED = "answered"
    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


class Event(msgspec.Struct, frozen=True):
    """
    One thing that came back about one recipient.

    `id` tells it from all others, so that the same one counts once however often it is handed in. `delivery`
    (`campaign-subscriber`) comes from a signed token alone. `provider_id` is the id that the
    provider gave to the message when it took it. `is_vouched` says that the sender proved who it is (a
    webhook's signature): a mail proves nothing, and its address is then only what somebody claims. `token` is good for
    one event: it is spent in the transaction that records this one. `evidence` is this one's part of
    what came, where many came at once.
    """

    id: str
    happening: Happening
    at: datetime
    source: str
    address: str = ""
    delivery: str = ""
    message_id: str = ""
    provider_id: str = ""
    reason: Reason = Reason.UNCLEAR
    hard: bool = False
    status: str = ""
    diagnosis: str = ""
    is_vouched: bool = False
    token: str = ""
    evidence: bytes = b""


_WEIGHT: Final = {happening: weight for weight, happening in enumerate(Happening, start=1)}


def weightier(before: Happening | None, after: Happening) -> Happening:
    """
    Which of two happenings a delivery is known by, in whatever order they came: a complaint beats a late "delivered".

    >>> weightier(Happening.COMPLAINED, Happening.DELIVERED).value
    'complained'
    """
    return after if before is None or _WEIGHT[after] > _WEIGHT[before] else before
