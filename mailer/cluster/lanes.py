"""
Domains with a lane of their own are sent in slices of their own, so that a slow one never stands in the others' way,
and so that its connections can be counted over all machines: as many of its slices are sent at a time as it allows.
"""

from typing import Final

from mailer.deliveries.pace import COMMON, Limits, Pace

# A domain of which only the rate is limited needs no more than that to keep it.
_SIDE_BY_SIDE: Final = 2
_SLOWED_DOWN: Final = Limits(connections=1)


def limits_of(lane: str, pace: Pace) -> Limits:
    """The limits of a lane; one that no config names was set up for a domain that complained."""
    return pace.domains.get(lane, _SLOWED_DOWN)


def locks(lane: str, number: int, pace: Pace) -> list[str]:
    """
    A lock for each of `number` slices of a lane: those that share one are sent one after the other. None: "".

    >>> locks("quito.example", 3, Pace(domains={"quito.example": Limits(connections=2)}))
    ['quito.example/0', 'quito.example/1', 'quito.example/0']
    >>> locks(COMMON, 2, Pace())
    ['', '']
    """
    if lane == COMMON:
        return [""] * number
    allowed = limits_of(lane, pace).connections or _SIDE_BY_SIDE
    return [f"{lane}/{each % allowed}" for each in range(number)]
