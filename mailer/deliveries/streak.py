"""
A run of identical refusals over different people: then it is us that is refused, whatever the code says.

A relay that blocks us, a policy, a listed address: every RCPT gets the same 5xx. Refusing a whole register for that
would be the worst of mistakes, so the campaign pauses and those refused in the run are given back.
"""

import re
from typing import Final

from mailer.deliveries.delivery import Claimed
from mailer.deliveries.transport import RecipientRefused

PATIENCE: Final = 10
# 5.1.x and 5.2.x speak of a mailbox (RFC 3463): a stale list may hold many in a row.
PATIENCE_WITH_MAILBOXES: Final = 50

_MAILBOX = re.compile(r"5\.[12]\.")
_PARTICULAR = re.compile(r"\S*@\S*|\S*\d\S*")


class Streak:
    """Counts refusals in the same words since the last message that was taken."""

    def __init__(self) -> None:
        self.refused: list[int] = []
        self._words: tuple[int, str, str] | None = None
        self._is_tripped = False

    def broken(self) -> None:
        """A message was taken: the way out is open."""
        if self._words is None and not self._is_tripped:
            return
        self.refused.clear()
        self._words = None
        self._is_tripped = False

    def forgive(self) -> None:
        """All of the run are given back; whoever is refused in the same words from now on belongs to it."""
        self.refused.clear()
        self._is_tripped = True

    def is_about_us(self, claimed: Claimed, refusal: RecipientRefused) -> bool:
        """
        Note a refusal, and say whether the run of them is long enough to mean us.

        One that was reprieved before and is refused again is meant itself: a person has looked and said go on.
        """
        if claimed.refused_before or not refusal.code:
            return False
        words = (refusal.code, refusal.status, _PARTICULAR.sub("", refusal.reply).casefold())
        if words != self._words:
            self.broken()
            self._words = words
        self.refused.append(claimed.id)
        is_mailbox = _MAILBOX.match(refusal.status) or _MAILBOX.search(refusal.reply)
        return self._is_tripped or len(self.refused) >= (PATIENCE_WITH_MAILBOXES if is_mailbox else PATIENCE)
