"""Personalisation: every slot filled for every reader there is; the longest and the emptiest are named."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from mailer.editions.checks.circumstances import Reader
from mailer.editions.checks.remark import Remark, error, warning
from mailer.editions.edition import SLOT, Compiled
from mailer.issues.issue import Issue

# A greeting above this fills a phone's screen before the first word of the issue.
LONGEST: Final[Mapping[str, int]] = {"greeting": 120, "institution": 160}
_URLS: Final = frozenset({"unsubscribe_url", "preferences_url", "web_url"})


class _Account:
    """What the stream of readers left behind: counts and one example each, never the readers."""

    def __init__(self) -> None:
        self.empty: Counter[tuple[str, str]] = Counter()
        self.long: Counter[tuple[str, str]] = Counter()
        self.unwritable: Counter[tuple[str, str]] = Counter()
        self.first: dict[tuple[str, str, str], str] = {}
        self.readers: Counter[str] = Counter()

    def add(self, reader: Reader, slots: Collection[str]) -> None:
        """Count one reader."""
        self.readers[reader.segment] += 1
        if reader.unwritable:
            self._note("unwritable", self.unwritable, (reader.segment, reader.unwritable), reader)
            return
        for slot in slots:
            value = reader.values.get(slot, "").strip()
            if not value:
                self._note("empty", self.empty, (reader.segment, slot), reader)
            elif len(value) > LONGEST.get(slot, len(value)):
                self._note("long", self.long, (reader.segment, slot), reader)

    def _note(self, kind: str, counter: "Counter[tuple[str, str]]", key: tuple[str, str], reader: Reader) -> None:
        counter[key] += 1
        self.first.setdefault((kind, *key), reader.address)


def personalisation(
    issue: Issue, compiled: Compiled, segments: Collection[str], readers: Iterable[Reader]
) -> Iterator[Remark]:
    """What the personalisation family has to say; the readers are streamed once and never held."""
    account, slots = _Account(), {edition.segment: _slots(compiled, edition.segment) for edition in compiled.editions}
    for reader in readers:
        account.add(reader, slots.get(reader.segment, ()))
    yield from _told(issue, account)
    if account.readers:
        for segment in segments:
            if not account.readers[segment]:
                told = f"nobody in {segment} can be written to; import its list, or see `mailer segments`"
                yield warning("no-readers", issue.where(), told)


def _slots(compiled: Compiled, segment: str) -> list[str]:
    editions = (edition for edition in compiled.editions if edition.segment == segment)
    found = {slot for edition in editions for slot in SLOT.findall(edition.html + edition.text)}
    return sorted(found - _URLS)


def _told(issue: Issue, account: _Account) -> Iterator[Remark]:
    where = issue.where()
    for (segment, problem), count in account.unwritable.items():
        told = (
            f"{_readers(count, account.first['unwritable', segment, problem])} of {segment}: {problem}; mend the list"
        )
        yield error("reader-unwritable", where, told)
    for (segment, slot), count in account.empty.items():
        who = _readers(count, account.first["empty", segment, slot])
        told = (
            f"the {slot} is empty for {who} of {segment}; fill it in the list, or take @@{slot}@@ out of the template"
        )
        yield error("slot-empty", where, told)
    for (segment, slot), count in account.long.items():
        who = _readers(count, account.first["long", segment, slot])
        told = f"the {slot} is longer than {LONGEST[slot]} characters for {who} of {segment}; look at it in the preview"
        yield warning("slot-long", where, told)


def _readers(count: int, first: str) -> str:
    """
    How many, and one of them to look at.

    >>> _readers(3, "a@a.example")
    '3 readers (a@a.example is one)'
    """
    return f"the reader {first}" if count == 1 else f"{count:,} readers ({first} is one)"
