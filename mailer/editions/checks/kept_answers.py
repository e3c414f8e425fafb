"""What the web answered, kept for a day: an issue is checked many times before it goes out."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from mailer.editions.checks.circumstances import Failure
from mailer.editions.kept_file import keep

GOOD_FOR: Final = timedelta(days=1)
BAD_FOR: Final = timedelta(minutes=10)


class Answer(msgspec.Struct, frozen=True):
    """When an address was asked for, and what was wrong."""

    asked_at: datetime
    failure: Failure | None = None


def kept(
    path: Path, now: datetime, ask: Callable[[Collection[str]], Mapping[str, Failure]]
) -> Callable[[Collection[str]], Mapping[str, Failure]]:
    """Wrap `ask` so that it is asked only for what the file at `path` doesn't know, or knows from too long ago."""

    def asked(urls: Collection[str]) -> Mapping[str, Failure]:
        answers = {url: answer for url, answer in _read(path).items() if _fresh(answer, now)}
        wanted = [url for url in dict.fromkeys(urls) if url not in answers]
        if wanted:
            failures = ask(wanted)
            answers |= {url: Answer(now, failures.get(url)) for url in wanted}
            keep(path, msgspec.json.encode(answers))
        found = {url: answers[url].failure for url in urls}
        return {url: failure for url, failure in found.items() if failure}

    return asked


def _fresh(answer: Answer, now: datetime) -> bool:
    return timedelta(0) <= now - answer.asked_at < (BAD_FOR if answer.failure else GOOD_FOR)


def _read(path: Path) -> dict[str, Answer]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Answer])
    except (OSError, msgspec.MsgspecError):  # not there yet, or cut short: everything is asked anew
        return {}
