"""Counts clicks as they come: judged one by one, written down together."""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Final

import msgspec

from mailer.clock import Clock
from mailer.feedback.scanners import HASTE, Change, Click, Scanners
from mailer.storage.clicks import Clicks, Followed
from mailer.web.turnstile import Turnstile

_KEPT_LINKS: Final = 4096


class Tally:
    """The figures of one publication, while its pages are served."""

    def __init__(self, clicks: Clicks, clock: Clock) -> None:
        self._clicks = clicks
        self._clock = clock
        self._scanners = Scanners()
        self._turnstile = Turnstile(self._write)
        self._old: set[tuple[int, str]] = set()
        self._links = lru_cache(maxsize=_KEPT_LINKS)(clicks.link)

    def link(self, number: int) -> Followed | None:
        """The link of that number, or None."""
        return self._links(number)

    async def count(self, link: Followed, click: Click) -> None:
        """Count a click; on return it is written down."""
        await self._turnstile.through((link, click))

    def _write(self, came: Sequence[tuple[Followed, Click]]) -> list[None]:
        changes: list[Change] = []
        for link, click in came:
            changes += self._scanners.judge(msgspec.structs.replace(click, is_hasty=self._is_hasty(link, click)))
        self._clicks.count(changes, now=self._clock.now())
        return [None] * len(came)

    def _is_hasty(self, link: Followed, click: Click) -> bool:
        """Whether it comes within seconds of the delivery; a campaign that has got past that stays past it."""
        edition = link.campaign_id, link.segment
        if not click.reader and edition in self._old:
            return False
        is_fresh = self._clicks.is_fresh(link, click.reader, since=self._clock.now() - timedelta(seconds=HASTE))
        if not is_fresh and not click.reader:
            self._old.add(edition)
        return is_fresh
