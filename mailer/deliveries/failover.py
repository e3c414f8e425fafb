"""
Several ways out in the order of preference: the next one takes over while those before it are down.

Down means that it can't be reached or that it refuses *us*. A refused, deferred or uncertain recipient never changes
the way: what may have been handed over must not be handed over again elsewhere.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from mailer.clock import Clock
from mailer.deliveries.transport import Channel, ConnectionLost, HandOff, Receipt, Transport, TransportDown
from mailer.log import get_logger
from mailer.messages.message import Message

log = get_logger()

# How long a way out that was down is left alone, at first and at most.
FIRST_REST: Final = timedelta(minutes=1)
LONGEST_REST: Final = timedelta(minutes=15)


class Diverted(ConnectionLost):
    """The way is down and there is another: nothing was handed over, and it says nothing about the message."""


class Way:
    """One of the transports, and whether it is down."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.rests_until: datetime | None = None
        self._rest = FIRST_REST

    def went_down(self, now: datetime, words: str) -> None:
        """Leave it alone for a while, each time for longer."""
        if self.rests_until is None or self.rests_until <= now:
            self.rests_until = now + self._rest
            self._rest = min(LONGEST_REST, self._rest * 2)
            log.warning("transport is down", action="transport-down", transport=self.transport.name, why=words)

    def came_up(self) -> None:
        """It works."""
        if self.rests_until is not None:
            log.info("transport is up again", action="transport-up", transport=self.transport.name)
        self.rests_until, self._rest = None, FIRST_REST


class Failover:
    """Opens each channel by the first transport that isn't down."""

    def __init__(self, transports: Sequence[Transport], clock: Clock) -> None:
        self.ways = [Way(transport) for transport in transports]
        self._clock = clock

    @property
    def are_several(self) -> bool:
        """Whether there is more than one to choose from."""
        return len(self.ways) > 1

    async def open(self, *, before: Way | None = None) -> "OpenWay":
        """
        Connect by the first way that can be had, or by one that is preferred to `before`.

        Raises:
            TransportDown: All of them refuse us.
            ConnectionLost: None can be had, and at least one of them may come back by itself.

        """
        ways = self.ways if before is None else self.ways[: self.ways.index(before)]
        failures: list[ConnectionLost | TransportDown] = []
        # If all of them rest, none may: there is nothing else to be had.
        for way in [way for way in ways if not self._rests(way)] or ways:
            try:
                channel = await way.transport.open()
            except (ConnectionLost, TransportDown) as problem:
                failures.append(problem)
                if self.are_several:
                    way.went_down(self._clock.now(), problem.reply)
            else:
                way.came_up()
                return OpenWay(self, way, channel)
        raise next((each for each in failures if isinstance(each, ConnectionLost)), failures[0])

    def is_there_better(self, way: Way) -> bool:
        """Whether a preferred way has rested long enough to be tried again."""
        return any(not self._rests(each) for each in self.ways[: self.ways.index(way)])

    def refused_us(self, way: Way, refusal: TransportDown) -> None:
        """
        It is us that this way refuses: go on by another.

        Raises:
            Diverted: There is another.

        """
        if self.are_several:
            way.went_down(self._clock.now(), refusal.reply)
            if self.should_leave(way):
                raise Diverted(refusal.reply, code=refusal.code, status=refusal.status) from refusal

    def should_leave(self, way: Way) -> bool:
        """Whether this way was found to be down, and there is another."""
        return self._rests(way) and any(not self._rests(each) for each in self.ways)

    def _rests(self, way: Way) -> bool:
        return way.rests_until is not None and self._clock.now() < way.rests_until


class OpenWay:
    """An open channel that knows which way it goes, and goes back to a better one when there is one again."""

    def __init__(self, failover: Failover, way: Way, channel: Channel) -> None:
        self._failover = failover
        self._way = way
        self._channel = channel

    @property
    def name(self) -> str:
        """The transport that the next message leaves by."""
        return self._way.transport.name

    async def prefer(self) -> None:
        """
        Change to a preferred way, if one can be had again. Between two messages, never within one.

        Raises:
            Diverted: This way is down.

        """
        if self._failover.should_leave(self._way):
            raise Diverted(f"{self.name} is down")
        if not self._failover.is_there_better(self._way):
            return
        try:
            better = await self._failover.open(before=self._way)
        except (ConnectionLost, TransportDown):
            return
        await self._channel.close()
        self._way, self._channel = better.parts()

    def parts(self) -> tuple[Way, Channel]:
        """The way, and the channel that is open by it."""
        return self._way, self._channel

    async def transmit(self, message: Message, hand_off: HandOff) -> Receipt:
        """Hand one message over; see `Channel.transmit`."""
        try:
            return await self._channel.transmit(message, hand_off)
        except TransportDown as refusal:
            self._failover.refused_us(self._way, refusal)
            raise

    async def close(self) -> None:
        """Say goodbye."""
        await self._channel.close()
