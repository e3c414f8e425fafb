"""What follows from what came of a hand-over: the four families of errors, turned into settlements."""

from datetime import datetime

from mailer.deliveries.delivery import Claimed, Settlement, State
from mailer.deliveries.retry import next_try
from mailer.deliveries.transport import Deferred, Receipt, RecipientRefused, TransportError, readable

_LONGEST_REPLY = 1_000
_LONGEST_ID = 200


def taken(claimed: Claimed, receipt: Receipt) -> Settlement:
    """The other side took it."""
    return Settlement(
        claimed.id,
        State.SENT,
        reply=readable(receipt.reply[:_LONGEST_REPLY]),
        code=250,
        provider_id=receipt.provider_id[:_LONGEST_ID],
    )


def refused(claimed: Claimed, refusal: RecipientRefused) -> Settlement:
    """The recipient is refused for good."""
    return _settled(claimed, State.REFUSED, refusal)


def put_off(claimed: Claimed, error: TransportError, *, now: datetime) -> Settlement:
    """Try again later; after four days of that, give up."""
    asked = error.retry_after if isinstance(error, Deferred) else 0.0
    due_at = next_try(claimed.attempts, deferred_since=claimed.deferred_since, now=now, asked=asked)
    if due_at is None:
        return _settled(claimed, State.UNDELIVERABLE, error)
    return _settled(claimed, State.PENDING, error, due_at=due_at, deferred=True)


def unanswered(claimed: Claimed, error: TransportError) -> Settlement:
    """The end of the data had gone out and no answer came (RFC 1047)."""
    return _settled(claimed, State.UNCERTAIN, error)


def given_back(claimed: Claimed, error: TransportError, *, now: datetime) -> Settlement:
    """It was us: the words are kept, and nothing is held against the recipient."""
    return Settlement(claimed.id, State.PENDING, reply=error.reply[:_LONGEST_REPLY], due_at=now)


def reprieved(delivery: int, refusal: RecipientRefused, *, now: datetime) -> Settlement:
    """Refused in a run of identical refusals: given back, but a second refusal will count."""
    return Settlement(delivery, State.PENDING, reply=refusal.reply[:_LONGEST_REPLY], code=refusal.code, due_at=now)


def _settled(
    claimed: Claimed, state: State, error: TransportError, *, due_at: datetime | None = None, deferred: bool = False
) -> Settlement:
    return Settlement(
        claimed.id,
        state,
        reply=error.reply[:_LONGEST_REPLY],
        code=error.code,
        status=error.status,
        due_at=due_at,
        deferred=deferred,
    )
