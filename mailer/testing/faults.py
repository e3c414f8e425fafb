"""What a server does wrong, when, and to whom."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

# In the order of a conversation. `body`: the first octets behind 354. `dot`: the data has ended, nothing is recorded.
# `accepted`: the message is recorded, the answer is not out yet.
Stage = Literal[
    "connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "accepted", "rset", "quit"
]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    r"""
    One kind of misbehaviour at one stage.

    First it waits `stall` seconds, reading nothing (`float("inf")`: for ever). Then it says `reply` instead of going
    on; without a reply it goes on as usual, or says nothing if it drops. With `drop` it hangs up after that.

    It happens each time the stage is reached; `nth` (1 is the first), `every` and `address` (part of the envelope
    recipient, for stages from `rcpt` on) narrow that, `times` ends it.

    >>> greylisting = Fault("rcpt", reply="451 4.7.1 come back later", times=1)
    >>> lost_answer = Fault("accepted", drop=True, nth=10)
    """

    stage: Stage
    reply: str = ""
    drop: bool = False
    stall: float = 0.0
    nth: int = 0
    every: int = 0
    times: int = 0
    address: str = ""


class Script:
    """Faults with the count of how often each stage was reached, over all connections of a server."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self.faults = list(faults)
        self._reached: Counter[str] = Counter()
        self._happened: Counter[int] = Counter()

    def meet(self, stage: Stage, address: str) -> Fault | None:
        """The fault that happens now, if one does."""
        if not self.faults:
            return None
        self._reached[stage] += 1
        count = self._reached[stage]
        for index, fault in enumerate(self.faults):
            if fault.stage == stage and self._is_due(index, fault, count, address):
                self._happened[index] += 1
                return fault
        return None

    def _is_due(self, index: int, fault: Fault, count: int, address: str) -> bool:
        return (
            fault.address in address
            and (not fault.nth or count == fault.nth)
            and (not fault.every or count % fault.every == 0)
            and (not fault.times or self._happened[index] < fault.times)
        )
