"""
One connection's work: delivery after delivery, each through Steps 2 to 5.

While one waits for its commit the next is taken on and its message written, so that its envelope can travel behind the
end of the last one's data (RFC 2920 3.1): that saves a message every second wait for the server.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from mailer.deliveries.claims import Claims
from mailer.deliveries.delivery import Claimed, Handed
from mailer.deliveries.failover import Failover, OpenWay
from mailer.deliveries.slowdown import is_complaint
from mailer.deliveries.transport import ConnectionLost, TransportDown, TransportError, Uncertain
from mailer.deliveries.verdicts import Verdicts
from mailer.deliveries.writer import Writer
from mailer.messages.message import Message

MakeMessage = Callable[[Claimed], Message]
BackOff = Callable[[TransportError, int], Awaitable[None]]


class Carrier:
    """Carries what it is given over one channel, and over another when that is lost."""

    def __init__(
        self,
        claims: Claims,
        *,
        ways: Failover,
        writer: Writer,
        verdicts: Verdicts,
        make_message: MakeMessage,
    ) -> None:
        self._claims = claims
        self._ways = ways
        self._writer = writer
        self._verdicts = verdicts
        self._make_message = make_message
        self._channel: OpenWay | None = None
        self._claimed: Claimed | None = None
        self._is_handed = False
        self._next: Claimed | None = None
        self._next_message: Message | None = None

    async def carry(self, back_off: BackOff) -> None:
        """Deliver until there is nothing due; when the channel is lost, `back_off` says how long to wait for it."""
        losses = 0
        try:
            while (claimed := await self._take()) is not None:
                try:
                    await self._deliver(claimed)
                    losses = 0
                except TransportError as error:
                    losses += 1
                    await self._hang_up()
                    self._claims.landed(claimed)
                    await back_off(error, losses)
                else:
                    self._claims.landed(claimed)
        finally:
            await self._hang_up()

    async def _take(self) -> Claimed | None:
        """Step 2: the next delivery, the one whose envelope is under way or whose turn it is."""
        if self._next is not None and not self._claims.is_closed:
            return self._next
        self._drop_next()
        return await self._claims.next()

    async def _deliver(self, claimed: Claimed) -> None:
        """Steps 3 to 5 for one delivery. Raises what means the channel: that it is lost, or that we are refused."""
        self._claimed, self._is_handed = claimed, False
        message, self._next, self._next_message = self._next_message, None, None
        channel = await self._open(claimed)
        try:
            message = message or self._make_message(claimed)
            receipt = await channel.transmit(message, self._hand_off)
        except TransportError as error:
            self._judge(claimed, error)
            if isinstance(error, (ConnectionLost, TransportDown, Uncertain)):
                raise
        else:
            self._verdicts.taken(claimed, receipt)
            self._claims.took(claimed)

    def _judge(self, claimed: Claimed, error: TransportError) -> None:
        if not self._verdicts.failed(claimed, error, is_handed=self._is_handed):
            self._claims.put_back(claimed)
        if is_complaint(error) and claimed.domain:
            self._claims.complained(claimed)

    async def _open(self, claimed: Claimed) -> OpenWay:
        """The channel for the next delivery: a new one if there is none, a better one if there is one again."""
        try:
            if self._channel is None:
                self._channel = await self._ways.open()
            elif self._ways.are_several:
                await self._channel.prefer()
        except TransportError:
            self._claims.put_back(claimed)
            raise
        return self._channel

    async def _hand_off(self) -> Message | None:
        """Step 4, called back by the channel when all but the dot is out; gives the message that follows."""
        assert self._claimed is not None and self._channel is not None  # noqa: PT018 - it calls back while it carries
        durable = self._writer.hand_off(Handed(self._claimed.id, self._channel.name))
        self._next = self._claims.at_once()
        if self._next is not None:
            with suppress(TransportError):  # it is told when its turn comes
                self._next_message = self._make_message(self._next)
        await durable
        self._is_handed = True
        return self._next_message

    async def _hang_up(self) -> None:
        """Close the channel, and give back what was to follow on it: of that no more than an envelope is out."""
        self._drop_next()
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _drop_next(self) -> None:
        claimed, self._next, self._next_message = self._next, None, None
        if claimed is not None:
            self._claims.put_back(claimed)
            self._claims.landed(claimed)
