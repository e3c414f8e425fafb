"""
What every webhook must pass before a word of it is believed, and how a provider's verdict becomes an event.

A signature is checked over the bytes as they came, a time stamp must be near, and nothing that a payload names is ever
fetched. Replays of the same event are known by its id; a token that is good for one event travels with it
(`Event.token`) and is spent where the event is recorded.
"""

import hmac
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec

from mailer.feedback.event import Event, Happening
from mailer.feedback.finding import judge
from mailer.feedback.reason import Reason

MAX_BODY: Final = 4 << 20
_LONGEST_ID: Final = 200
_YEARS: Final = range(2000, 2100)
Headers = Mapping[str, str]
"""A request's headers, their names in lower case."""


class WebhookRefused(Exception):
    """A call that isn't believed: `status` is the HTTP answer. The caller learns nothing of why."""

    def __init__(self, why: str, status: int = 401) -> None:
        super().__init__(why)
        self.status = status


def decode(body: bytes) -> Any:
    """
    The JSON of a body.

    Raises:
        WebhookRefused: It is none.

    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise WebhookRefused("the body is no JSON", 400) from None


def unbase64(text: str) -> bytes:
    """
    Bytes from base64.

    Raises:
        WebhookRefused: It is none.

    """
    try:
        return b64decode(text, validate=True)
    except (Error, ValueError):
        raise WebhookRefused("the signature is not base64") from None


def near(stamp: str, now: datetime, within: timedelta) -> None:
    """
    See that a time stamp in Unix seconds is near.

    Raises:
        WebhookRefused: It is not, or it is no time.

    """
    try:
        at = datetime.fromtimestamp(int(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        raise WebhookRefused("the time stamp is no time") from None
    if abs(now - at) > within:
        raise WebhookRefused("the call is stale")


class BasicKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The user name and password of the webhook's address, where a provider signs nothing."""

    username: str
    password: str


def check_basic(headers: Headers, keys: BasicKeys) -> None:
    """
    See that the call came with the user name and password that were set up at the provider.

    Raises:
        WebhookRefused: It did not.

    """
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise WebhookRefused("no basic authentication")
    expected = f"{keys.username}:{keys.password}".encode()
    if not keys.password or not hmac.compare_digest(unbase64(given.strip()), expected):
        raise WebhookRefused("wrong user name or password")


def instant(value: Any, now: datetime) -> datetime:
    """
    When it happened: Unix seconds or ISO 8601; now, where the provider doesn't say it readably.

    >>> instant("2022-11-30T14:00:00Z", datetime(2023, 1, 1, tzinfo=UTC)).hour
    14
    """
    try:
        if isinstance(value, int | float):
            at = datetime.fromtimestamp(value, UTC)
        else:
            at = datetime.fromisoformat(str(value))
            at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return at if at.year in _YEARS else now


def text(table: Any, *path: str) -> str:
    """
    The text at a path of a payload, or nothing.

    >>> text({"message": {"headers": {"message-id": "a@b"}}}, "message", "headers", "message-id")
    'a@b'
    """
    for key in path:
        table = table.get(key) if isinstance(table, dict) else None
    return "" if table is None or isinstance(table, dict | list) else str(table)


def event_id(source: str, *parts: str, otherwise: Any = None) -> str:
    """
    An event's id from what tells it apart at the provider; what has no name there is told apart by all it holds.

    >>> event_id("mailgun", "e1")
    'mailgun:e1'
    >>> event_id("mailgun", "", otherwise={"event": "opened"}) == event_id("mailgun", "", otherwise={"event": "failed"})
    False
    """
    if not any(parts):
        parts = (sha256(msgspec.json.encode(otherwise)).hexdigest(),)
    named = ":".join((source, *parts))
    return named if len(named) <= _LONGEST_ID else f"{source}:{sha256(named.encode()).hexdigest()}"


def bounced(event: Event, *, status: str = "", diagnosis: str = "", is_permanent: bool = False) -> Event:
    """
    The event of a bounce, judged by the words and the status; the provider's "permanent" counts where they say nothing.

    >>> now = datetime(2022, 11, 30, tzinfo=UTC)
    >>> event = Event("1", Happening.BOUNCED, now, "ses", address="ana@gad.example")
    >>> bounced(event, diagnosis="554 5.7.1 blocked by spamhaus", is_permanent=True).hard
    False
    >>> bounced(event, is_permanent=True).hard
    True
    """
    found = judge(event.address, status=status, diagnosis=diagnosis)
    reason, hard = found.reason, found.hard
    if reason is Reason.UNCLEAR and is_permanent:
        reason, hard = Reason.UNKNOWN_USER, True
    return msgspec.structs.replace(
        event, happening=Happening.BOUNCED, reason=reason, hard=hard, status=found.status, diagnosis=found.diagnosis
    )
