"""
Step 6 where the way out can be asked: what dead runs left uncertain is looked up there before anything else is done.

Only a yes settles anything. That a message isn't found may mean that it isn't listed yet: it stays uncertain, for a
person or the policy, and is asked for again when the next run begins.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol, runtime_checkable

from mailer.clock import Clock
from mailer.deliveries.carrier import MakeMessage
from mailer.deliveries.delivery import Claimed, Delivery, State
from mailer.deliveries.ledger import Ledger, Run
from mailer.deliveries.transport import Transport, TransportError
from mailer.deliveries.writer import Writer
from mailer.log import get_logger
from mailer.messages.message import Message

log = get_logger()


@runtime_checkable
class Askable(Protocol):
    """A way out that says which messages it has."""

    name: str

    async def known(self, messages: Sequence[Message]) -> list[Message]:
        """
        Those of the messages that it has.

        Raises:
            TransportError: It can't be asked now.

        """
        ...


async def settle_what_is_known(
    run: Run,
    transports: Sequence[Transport],
    *,
    ledger: Ledger,
    writer: Writer,
    make_message: MakeMessage,
    clock: Clock,
) -> None:
    """Take for sent what is uncertain of a run's campaign, where the way by which it was handed over has it."""
    ways = [way for way in transports if isinstance(way, Askable)]
    uncertain = await writer.call(lambda: list(ledger.deliveries(run.campaign_id, State.UNCERTAIN))) if ways else []
    for way in ways:
        handed = [one for one in uncertain if one.transport == way.name and one.recipient.email]  # not erased meanwhile
        emails = await _known_to(way, {make_message(_as_claimed(one)): one.recipient.email for one in handed})
        if emails:
            accept = partial(ledger.resolve, run.campaign_id, State.SENT, emails=emails, who=way.name, now=clock.now())
            await writer.call(accept)
            log.info("found at the provider", action="uncertain-found", transport=way.name, number=len(emails))


async def _known_to(way: Askable, emails: Mapping[Message, str]) -> list[str]:
    try:
        return [emails[message] for message in await way.known(list(emails))] if emails else []
    except TransportError as problem:  # why it can't be asked says nothing of what it has
        log.warning("the provider can't be asked", action="uncertain-unasked", transport=way.name, why=problem.reply)
        return []


def _as_claimed(delivery: Delivery) -> Claimed:
    return Claimed(delivery.id, delivery.campaign_id, delivery.recipient, delivery.attempts)
