"""How it goes out: the transports, the pace, the hours and the orders, as `[transports]` and `[delivery]` say."""

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from zoneinfo import ZoneInfo

import msgspec

from mailer import config
from mailer.address import address_key
from mailer.deliveries.orders import Orders
from mailer.deliveries.pace import Limits, Pace
from mailer.deliveries.rate import Rate
from mailer.deliveries.transport import Transport, TransportError
from mailer.deliveries.window import Window
from mailer.errors import OperatorError
from mailer.messages.message import Message
from mailer.providers import registry
from mailer.providers.http import HttpTransport


class Outgoing:
    """The delivery side of a config, read when it is first asked for."""

    def __init__(self, loaded: config.Loaded, zone: ZoneInfo) -> None:
        self.loaded = loaded
        self.config = loaded.config
        self.zone = zone

    def transport(self, name: str | None = None) -> Transport:
        """
        The way out called `name`, or the first that `[delivery] transport` names. Nothing is connected yet.

        Raises:
            OperatorError: There is none of that name, or its table is wrong.

        """
        name = name or self.config.delivery.transports[0]
        if name not in self.config.transports:
            raise OperatorError(
                f"{self.loaded.path.name}: there is no [transports.{name}]; add it, or choose one of "
                f"{', '.join(self.config.transports) or 'none yet'}"
            )
        section = f"transports.{name}"
        table = dict(self.config.transports[name])
        kind = str(table.pop("kind", ""))
        if "folder" in table:
            table["folder"] = str(self.loaded.resolve(str(table["folder"])))
        try:
            return registry.make(
                kind, table, name=name, secrets=lambda key, variable: self.loaded.secret(section, key, variable)
            )
        except msgspec.ValidationError as problem:
            raise self.loaded.wrong(problem, registry.settings_of(kind), table, section) from None

    @property
    def ways(self) -> list[Transport]:
        """The ways out that `[delivery] transport` names, the preferred one first."""
        return [self.transport(name) for name in self.config.delivery.transports]

    @property
    def alarms(self) -> list[Transport]:
        """The ways by which the staff is alerted, in turn: `[staff] transport`, then those of the campaigns."""
        first = self.config.staff.transport
        names = dict.fromkeys([*([first] if first else []), *self.config.delivery.transports])
        return [self.transport(name) for name in names]

    def check(self, messages: Iterable[Message]) -> None:
        """
        See, before a campaign starts, that every way out can express its messages.

        Raises:
            OperatorError: One can't, or its table is wrong.

        """
        apis = [way for way in self.ways if isinstance(way, HttpTransport)]
        for message in messages if apis else ():
            for way in apis:
                try:
                    way.check(message)
                except TransportError as problem:
                    raise OperatorError(
                        f"[transports.{way.name}] can't carry this issue: {problem.reply}; nobody was written to"
                    ) from None

    @cached_property
    def pace(self) -> Pace:
        """How fast `[delivery]` lets us send, and each of its domains."""
        table = self.config.delivery
        domains = {
            address_key(f"x@{name}").partition("@")[2]: Limits(
                self._rates(f'delivery.domains."{name}"', limits.rate), limits.connections
            )
            for name, limits in table.domains.items()
        }
        return Pace(self._rates("delivery", table.rate), domains)

    def _rates(self, section: str, given: str | Sequence[str]) -> tuple[Rate, ...]:
        texts = [given] if isinstance(given, str) else given
        try:
            return tuple(Rate.parse(text) for text in texts)
        except ValueError as problem:
            raise OperatorError(f"{self.loaded.path.name}: [{section}] rate: {problem}") from None

    @cached_property
    def window(self) -> Window | None:
        """The hours in which a campaign may send; None: at all hours."""
        text = self.config.delivery.window
        try:
            return Window.parse(text, self.zone) if text else None
        except ValueError as problem:
            raise OperatorError(f"{self.loaded.path.name}: [delivery] window: {problem}") from None

    @property
    def processes(self) -> int:
        """How many processes send at once: never more than there are connections to share."""
        table = self.config.delivery
        number = (os.cpu_count() or 1) if table.processes == "auto" else table.processes
        return min(number, table.connections)

    def orders(self, *, number: int = 0, processes: int = 1) -> Orders:
        """How a campaign is to be sent by process `number` of `processes`."""
        table = self.config.delivery
        return Orders(
            connections=table.connections,
            pace=self.pace,
            window=self.window,
            on_uncertain=table.on_uncertain,
            number=number,
            processes=processes,
        )
