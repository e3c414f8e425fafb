"""The gate before a provider that asked us to go slower: it keeps all channels of a transport back, and nobody else."""

import asyncio
from typing import Final

from mailer.deliveries.transport import Throttled

_FIRST: Final = 1.0  # seconds, doubling, where the provider doesn't say how long
_LONGEST: Final = 60.0
_AT_MOST: Final = 3600.0  # whoever asks for more is asked again after that
_WORTH_IT: Final = 5.0  # who waits for longer doesn't stand in the way of a pause or another way out


class Gate:
    """Whether the provider may be asked now."""

    def __init__(self) -> None:
        self._opens_at = 0.0
        self._pause = _FIRST
        self._words = ""

    @property
    def is_new_ground(self) -> bool:
        """Whether the provider has not just shown that it is there, by asking for time."""
        return not self._words

    def close(self, asked: Throttled) -> None:
        """Keep everybody back for as long as it asked; what was in flight meanwhile is the same complaint."""
        now = asyncio.get_running_loop().time()
        seconds = min(asked.retry_after, _AT_MOST)
        if not seconds and now >= self._opens_at:
            seconds, self._pause = self._pause, min(_LONGEST, 2 * self._pause)
        self._opens_at = max(self._opens_at, now + seconds)
        self._words = asked.reply

    def open(self) -> None:
        """It took a message."""
        self._pause, self._words = _FIRST, ""

    async def passed(self) -> None:
        """
        Wait for a moment, if it asked for no more.

        Raises:
            Throttled: It asked for longer.

        """
        wait = self._opens_at - asyncio.get_running_loop().time()
        if wait > _WORTH_IT:
            raise Throttled(f"asked to wait {wait:.0f} seconds more: {self._words}")
        if wait > 0:
            await asyncio.sleep(wait)
