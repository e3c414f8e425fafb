"""What an API answered, and what that means by its status alone."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from mailer.clock import SystemClock
from mailer.deliveries.transport import (
    Deferred,
    Receipt,
    Throttled,
    TransportDown,
    TransportError,
    Uncertain,
)

_SECONDS: Final = ("retry-after", "ratelimit-reset", "x-sib-ratelimit-reset")
_EPOCH_BEGINS: Final = 1e9  # what is less is a span
_LONGEST_REPLY: Final = 500
_UNANSWERED: Final = frozenset({502, 504})  # a gateway that got no proper answer: nobody knows (RFC 9110 15.6)
_STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")


class Answer(msgspec.Struct, frozen=True):
    """What an API said; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The JSON of the body, or nothing."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            return None

    @property
    def table(self) -> Mapping[str, Any]:
        """The JSON object of the body; an empty one where it is none."""
        data = self.data
        return data if isinstance(data, dict) else {}

    @property
    def words(self) -> str:
        """The status and the body, on one short line."""
        return f"{self.status} {' '.join(self.body.decode('utf-8', 'replace').split())}".strip()[:_LONGEST_REPLY]

    def header(self, name: str) -> str:
        """A header's value, or nothing."""
        return self.headers.get(name.lower(), "")


def receipt_by(answer: Answer, key: str) -> Receipt:
    """
    The receipt of an API whose yes holds its id under `key`.

    Raises:
        Uncertain: There is none: something between us and the API may have said yes in its place.

    """
    named = answer.table.get(key)
    if not named:
        raise Uncertain(f"a yes that is none of the API's: {answer.words}", code=answer.status)
    return Receipt(reply=answer.words, provider_id=str(named))


def by_status(answer: Answer) -> TransportError:
    """
    What a refusal means by its status alone.

    A 4xx that names nobody is about our request, so it would be the same for everybody: the campaign pauses.
    """
    status, words = answer.status, answer.words
    found = _STATUS.search(words)
    enhanced = found[1] if found else ""
    if status in _UNANSWERED:
        return Uncertain(words, code=status)
    asked = retry_after(answer)
    if status == 429 or (status == 503 and asked):  # noqa: PLR2004 - RFC 6585 4, RFC 9110 15.6.4
        return Throttled(words, code=status, status=enhanced, retry_after=asked)
    if status in {408, 425} or status >= 500:  # noqa: PLR2004 - RFC 9110 15.6
        return Deferred(words, code=status, status=enhanced, retry_after=asked)
    return TransportDown(words, code=status, status=enhanced)


def retry_after(answer: Answer) -> float:
    """
    How many seconds an answer asks us to wait; 0 if it doesn't say.

    >>> retry_after(Answer(429, {"retry-after": "30"}, b""))
    30.0
    >>> date, later = "Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:29:00 GMT"
    >>> retry_after(Answer(503, {"retry-after": later, "date": date}, b""))
    60.0
    """
    for name in _SECONDS:
        try:
            return _bounded(float(answer.header(name)))
        except ValueError:
            continue
    now = _instant(answer.header("date")) or SystemClock().now().timestamp()
    reset = answer.header("x-ratelimit-reset")
    try:
        due = float(reset) if reset else _instant(answer.header("retry-after"))
    except ValueError:
        return 0.0
    if due > _EPOCH_BEGINS * 1000:
        due /= 1000  # Mailgun counts them in milliseconds
    return _bounded(due - now if due > _EPOCH_BEGINS else due)


def _bounded(seconds: float) -> float:
    return max(0.0, min(seconds, 86_400.0))


def _instant(date: str) -> float:
    """An HTTP date (RFC 9110 5.6.7) in Unix seconds, or 0."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0
