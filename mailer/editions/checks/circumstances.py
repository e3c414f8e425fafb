"""What the rules know beside the issue itself: who reads, how it is sent, when, and what the office has waived."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from mailer.editions.checks.axe import Barrier
from mailer.editions.checks.hunspell import SYSTEM
from mailer.editions.edition import Edition
from mailer.issues.issue import Issue


class Waiver(msgspec.Struct, frozen=True):
    """A rule that the office has turned off or made a warning, and why."""

    level: Literal["off", "warning"]
    reason: str


class Silence(msgspec.Struct, frozen=True):
    """Days, both ends included, on which nothing may be published, and why: an election's silence."""

    first: date
    last: date
    reason: str


class Reader(msgspec.Struct, frozen=True):
    """A recipient as their message will address them: a value for each slot, or what makes the message unwritable."""

    address: str
    segment: str
    language: str
    values: Mapping[str, str]
    unwritable: str = ""


def _as_compiled(edition: Edition) -> str:
    return edition.html


class Sending(msgspec.Struct, frozen=True):
    """
    How the issue goes out: where its readers leave, and the message that one of them would get.

    `html` is an edition's as it is sent: longer than as it was compiled, where links are counted. `misaligned` says
    what is wrong with the domains that DMARC compares, if anything is; `is_unprinted`, that a PDF is promised which
    nothing here can print.
    """

    public_url: str
    message: Callable[[Edition], bytes]
    misaligned: str = ""
    is_unprinted: bool = False
    html: Callable[[Edition], str] = _as_compiled


class Circumstances(msgspec.Struct, frozen=True):
    """
    All that a rule may ask. What is left out is not judged.

    `segments` are the names that an article may be for, `office_words` a file of words that are spelled right,
    `memory` a folder in which what the `dictionaries` said is kept, `plain` the same templates filled with the plainest
    content (what is in it too is the template's own doing), `reachable` asks the web about addresses and gives what is
    wrong with each that fails; `axe` judges in a browser.
    """

    segments: Collection[str]
    office_words: Path | None = None
    dictionaries: Path = SYSTEM
    memory: Path | None = None
    waivers: Mapping[str, Waiver] = {}
    plain: str = ""
    send_on: date | None = None
    silences: Collection[Silence] = ()
    previous: Issue | None = None
    readers: Iterable[Reader] = ()
    sending: Sending | None = None
    reachable: Callable[[Collection[str]], Mapping[str, "Failure"]] | None = None
    axe: Callable[[Edition], list[Barrier]] | None = None


class Failure(msgspec.Struct, frozen=True):
    """Why an address couldn't be fetched; `certain` tells a page that isn't there from a server that didn't answer."""

    reason: str
    certain: bool
