"""One vocabulary for everything that comes back, whether by mail or by a provider's webhook."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from mailer.address import address_key
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


def fit_to_keep(event: Event) -> Event:
    r"""
    The event as a book can hold it: without NUL, which PostgreSQL keeps in no text, and without what is no address.

    >>> fit_to_keep(Event("1", Happening.OPENED, datetime(2022, 11, 30), "ses", address="a\0@b")).address
    'a@b'
    """
    kept = {name: value.replace("\0", "") for name in _TEXTS if "\0" in (value := getattr(event, name))}
    if len(address_key(kept.get("address", event.address))) > _LONGEST_ADDRESS:
        kept["address"] = ""
    return msgspec.structs.replace(event, **kept) if kept else event


_TEXTS: Final = ("id", "address", "message_id", "provider_id", "status", "diagnosis", "token")
_LONGEST_ADDRESS: Final = 320
_WEIGHT: Final = {happening: weight for weight, happening in enumerate(Happening, start=1)}


def weightier(before: Happening | None, after: Happening) -> Happening:
    """
    Which of two happenings a delivery is known by, in whatever order they came: a complaint beats a late "delivered".

    >>> weightier(Happening.COMPLAINED, Happening.DELIVERED).value
    'complained'
    """
    return after if before is None or _WEIGHT[after] > _WEIGHT[before] else before
