"""
The tokens in the links that pages answer to, and whose page each opens.

Links in an issue (`/u/`, `/p/`) last for ever, for a reader may leave by an old message. They travel with every
forwarded copy, so what they open never shows more than a masked hint. A `mine` link is posted to the reader alone,
and opens the rest for a day.
"""

import re
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from mailer.tokens import InvalidToken, Signer

UNSUBSCRIBE: Final = "unsubscribe"
PREFERENCES: Final = "preferences"
CLICKER: Final = "clicker"
_LINK: Final = "link"
TEST_TOKEN: Final = "test"  # noqa: S105 - what links of a test message carry instead of a token
_CONFIRM: Final = "confirm"
_MINE: Final = "mine"
MINE_FOR: Final = timedelta(days=1)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
_REFERENCE: Final = re.compile(r"([0-9]{1,18})-([1-9][0-9]{0,17})")


class Bearer(NamedTuple):
    """Whom a link of an issue names, and the campaign it came with (0: none)."""

    campaign: int
    subscriber_id: int


def is_trial(token: str) -> bool:
    """Whether the link stood in a test for the staff, and so belongs to nobody."""
    return token == TEST_TOKEN


def bearer_of(signer: Signer, purpose: str, token: str) -> Bearer | None:
    """Whom a link of an issue names, or None."""
    named = _REFERENCE.fullmatch(_read(signer, purpose, token))
    return Bearer(int(named[1]), int(named[2])) if named else None


def link_of(signer: Signer, token: str) -> int | None:
    """The number of the counted link that a token names, or None."""
    return _number(_read(signer, _LINK, token))


def preferences_token(signer: Signer, subscriber_id: int) -> str:
    """A token for the preferences of a reader, outside of any campaign."""
    return signer.sign(PREFERENCES, f"0-{subscriber_id}")


def confirm_token(signer: Signer, signup: int) -> str:
    """The token that confirms a wish to join."""
    return signer.sign(_CONFIRM, str(signup))


def signup_of(signer: Signer, token: str) -> int | None:
    """The wish that a confirmation link names, or None."""
    return _number(_read(signer, _CONFIRM, token))


def mine_token(signer: Signer, subscriber_id: int, now: datetime) -> str:
    """The token that opens everything of a reader for a day."""
    return signer.sign(_MINE, f"{subscriber_id}-{int((now + MINE_FOR).timestamp())}")


def owner_of(signer: Signer, token: str, now: datetime) -> int | None:
    """The reader that a `mine` link names, while it lasts, or None."""
    number, _, until = _read(signer, _MINE, token).partition("-")
    if not until.isdigit() or int(until) < now.timestamp():
        return None
    return _number(number)


def _read(signer: Signer, purpose: str, token: str) -> str:
    if token != token.lower():  # an address may be folded on its way (`Signer.read`), a link never is
        return ""
    try:
        return signer.read(purpose, token)
    except InvalidToken:
        return ""


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None
