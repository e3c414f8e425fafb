"""
When a list and the register say different things of one person: whose word stands.

The list that brought a person keeps their details. Another list of theirs fills what is empty and no more, so that
two lists don't overwrite each other month by month; a field that a list filled is that list's to change. When a person
is no longer in the segment that kept a field, the list at hand takes it over. What a person wrote by hand no list
changes, and an empty cell changes nothing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from mailer.audience.subscriber import FIELDS, HAND


class Arrival(NamedTuple):
    """One of `Arrivals`, where they are looked at one by one."""

    line: int
    email: str
    key: str
    domain: str
    name: str
    honorific: str
    position: str
    institution: str
    country: str
    language: str


class Known(NamedTuple):
    """Somebody of the register at whose address a list arrives; `membership` is their state in the list's segment."""

    id: int
    key: str
    email: str
    state: str
    source: str
    import_id: int | None
    membership: str | None
    membership_import: int | None
    name: str
    honorific: str
    position: str
    institution: str
    country: str
    language: str


class Difference(NamedTuple):
    """What the register has in a field, and what a list says."""

    field: str
    before: str
    after: str


ARRIVED = Arrival._fields.index(FIELDS[0])
"""From here on an arrival says what the list has of the person, in the order of `FIELDS`."""
KNOWN = Known._fields.index(FIELDS[0])
"""And from here on somebody known what the register has."""


person_of: Callable[[Iterable[Any]], Known] = partial(tuple.__new__, Known)
"""Somebody known from a row of that order, without a call of Python's own for each."""


def differences(arrival: Arrival, known: Known | Arrival) -> list[Difference]:
    """The fields in which a list has something to say that the register hasn't; an empty cell says nothing."""
    has: Any = known[ARRIVED:] if isinstance(known, Arrival) else known[KNOWN:]
    says: Any = arrival[ARRIVED:]
    return [
        Difference(field, before, after)
        for field, before, after in zip(FIELDS, has, says, strict=True)
        if after and before != after
    ]


def is_heard(
    difference: Difference, known: Known, *, segment: str, owners: Mapping[str, str], joined: Collection[str]
) -> bool:
    """
    Whether the list of `segment` may write the field.

    `owners` names who wrote fields that `known.source` didn't; `joined` are the segments that the person is in.
    """
    owner = owners.get(difference.field, known.source)
    if owner == HAND:
        return False
    return not difference.before or owner == segment or owner not in joined
