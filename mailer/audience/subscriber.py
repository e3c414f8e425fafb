"""What the register knows of a person or office, as values."""

from datetime import datetime
from typing import Final, Literal

import msgspec

FIELDS: Final = ("name", "honorific", "position", "institution", "country", "language")
"""What a list may say of a person, besides the address; in this order everywhere."""

HAND: Final = "hand"
"""The owner of a field that a person wrote; a list never changes it."""

State = Literal["active", "unconfirmed", "unsubscribed"]


class Subscriber(msgspec.Struct, frozen=True):
    """A person or office in the register, with where they stand."""

    id: int
    email: str
    name: str
    honorific: str
    position: str
    institution: str
    country: str
    language: str
    state: State
    deliverable: bool
    segments: tuple[str, ...] = ()


class Membership(msgspec.Struct, frozen=True):
    """A subscriber's place in a segment: joined, left (by the reader) or removed (by a list)."""

    segment: str
    state: Literal["joined", "left", "removed"]
    changed_at: datetime


BASES: Final = ("consent", "public function", "contract")
"""The grounds on which somebody may be written to (LOPDP art. 7)."""


class Ground(msgspec.Struct, frozen=True):
    """On what ground somebody is written to, from when, and how it can be shown."""

    at: datetime
    basis: str
    source: str
    text_version: str
    proof: str
    who: str


class Line(msgspec.Struct, frozen=True):
    """A line of the register as it is listed."""

    email: str
    name: str
    language: str
    segments: tuple[str, ...]
    state: State
    deliverable: bool


class SegmentCount(msgspec.Struct, frozen=True):
    """
    How a segment stands: `subscribers` is the sum of the others.

    Who is both unsubscribed and suppressed counts as unsubscribed.
    """

    name: str
    subscribers: int
    deliverable: int
    unsubscribed: int
    suppressed: int
    unconfirmed: int
    paused: int
