"""The account of a campaign: how many recipients ended where, and whether the sums agree."""

import msgspec


class Account(msgspec.Struct, frozen=True):
    """
    Every recipient in exactly one figure, from one read.

    `recipients` was counted by the freeze; the others are counted now. `pending` is all that is still open: waiting,
    claimed, or handed over with the answer on its way.

    >>> Account(recipients=3, pending=1, sent=2).reconciled
    True
    """

    recipients: int = 0
    pending: int = 0
    sent: int = 0
    refused: int = 0
    suppressed: int = 0
    undeliverable: int = 0
    uncertain: int = 0

    @property
    def closed(self) -> int:
        """How many have come to their end."""
        return self.sent + self.refused + self.suppressed + self.undeliverable + self.uncertain

    @property
    def reconciled(self) -> bool:
        """Whether the figures add up to what was frozen."""
        return self.closed + self.pending == self.recipients
