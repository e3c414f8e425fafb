"""
Who follows a link: a person, or a program that looks where it leads before the message is shown to one.

Nothing that a scanner does proves it one, so several signs are read together: how it asks, what it calls itself, how
soon after the delivery it comes, how fast it goes from link to link, and whether it takes the link that nobody sees.
What came from one network, or by the links of one reader, in the last minute is remembered, in this process and
nowhere else, so that earlier clicks can be judged again by what comes later.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Hashable
from enum import StrEnum
from typing import Final

import msgspec

WITHIN: Final = 60.0
"""Seconds for which the clicks of one network, or of one reader's links, are judged together."""
HASTE: Final = 10.0
"""Seconds after a delivery in which hardly anybody has opened, read and followed."""
_MOST_NETWORKS: Final = 10_000
_MOST_CLICKS: Final = 64
_BURST: Final = 4
_TWICE: Final = 10.0

# Every browser calls itself Mozilla (Opera once did not); fetchers of previews and security products often do too.
_BROWSER: Final = re.compile(r"(?:Mozilla|Opera)/\d")
_MACHINE: Final = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|scan|preview|prefetch|fetch|proxy|headless|phantom|selenium|puppeteer|playwright"
    r"|facebookexternalhit|embedly|virustotal|barracuda|proofpoint|mimecast|symantec|trend ?micro|fortinet|sophos"
    r"|fireeye|trellix|mcafee|cloudmark|safelinks|google-safety|msoffice|ms-office|microsoft office",
    re.IGNORECASE,
)


class Judged(StrEnum):
    """What a click was taken for: a person's, or a machine's and by which sign."""

    PERSON = "person"
    METHOD = "method"
    AGENT = "agent"
    HASTE = "haste"
    BURST = "burst"
    TRAP = "trap"
    AGAIN = "again"


class Click(msgspec.Struct, frozen=True):
    """
    One request for a counted link.

    `whence` tells who asks: the network, or the reader whom the link names, wherever the request comes from.
    `edition` tells the message's edition from others, `of` is how many links that has; `is_hasty` says that it came too
    soon after the delivery. `reader` is set where the link names one who consented.
    """

    link: int
    edition: Hashable
    of: int
    whence: str
    at: float
    method: str = "GET"
    agent: str = ""
    is_prefetch: bool = False
    is_trap: bool = False
    is_hasty: bool = False
    reader: int = 0


class Change(msgspec.Struct, frozen=True):
    """A click that is judged now; `before` is what it was taken for until now, if it was judged already."""

    click: Click
    judged: Judged
    before: Judged | None = None


class Scanners:
    """The judge of clicks, with a short memory. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, deque[Change]] = OrderedDict()

    def judge(self, click: Click) -> list[Change]:
        """What the click is taken for, and which earlier ones from there are taken for something else now."""
        recent = self._recent(click)
        alone = _alone(click)
        if alone is Judged.PERSON and any(_is_same(click, each.click) for each in recent):
            alone = Judged.AGAIN
        new = Change(click, alone)
        recent.append(new)
        sign = _together(click, recent)
        if sign is None:
            return [new]
        again = [
            Change(
                each.click, sign if each.judged is Judged.PERSON else each.judged, None if each is new else each.judged
            )
            for each in recent
        ]
        self._seen[click.whence] = deque(again, maxlen=_MOST_CLICKS)
        return [each for each in again if each.judged is not each.before]

    def _recent(self, click: Click) -> deque[Change]:
        """What came from there within the last minute, and room for more."""
        recent = self._seen.setdefault(click.whence, deque(maxlen=_MOST_CLICKS))
        self._seen.move_to_end(click.whence)
        if len(self._seen) > _MOST_NETWORKS:
            self._seen.popitem(last=False)
        while recent and recent[0].click.at < click.at - WITHIN:
            recent.popleft()
        return recent


def _alone(click: Click) -> Judged:
    """What a click says by itself."""
    if click.is_trap:
        return Judged.TRAP
    if click.method != "GET" or click.is_prefetch:
        return Judged.METHOD
    if not _BROWSER.match(click.agent) or _MACHINE.search(click.agent):
        return Judged.AGENT
    return Judged.HASTE if click.is_hasty else Judged.PERSON


def _is_same(click: Click, earlier: Click) -> bool:
    """Whether it only repeats an earlier one: a double click, or a mail program that warms a page up."""
    same = click.link == earlier.link and click.agent == earlier.agent and click.reader == earlier.reader
    return same and click.at - earlier.at < _TWICE


def _together(click: Click, recent: deque[Change]) -> Judged | None:
    """
    The sign that clicks from one place give together: the trap, or more than a link a second, be it four in a row or
    all that the edition has.
    """
    if any(each.click.is_trap for each in recent):
        return Judged.TRAP
    enough = min(_BURST, click.of)
    close = {
        each.click.link for each in recent if each.click.edition == click.edition and click.at - each.click.at < enough
    }
    return Judged.BURST if enough > 1 and len(close) >= enough else None
