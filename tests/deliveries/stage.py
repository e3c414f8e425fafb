"""A small world to send in: a register, a campaign over it, and a toy way out that writes what it took to a file."""

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, update

from mailer.address import address_key
from mailer.campaigns import advance
from mailer.campaigns.approval import Approval
from mailer.campaigns.campaign import Campaign
from mailer.clock import SystemClock
from mailer.deliveries.delivery import Claimed
from mailer.deliveries.orders import Orders, Result
from mailer.deliveries.pace import Pace
from mailer.deliveries.rate import Rate
from mailer.deliveries.send import send
from mailer.deliveries.transport import HandOff, Receipt
from mailer.messages.message import Message
from mailer.storage.agenda import SqlAgenda
from mailer.storage.database import Database
from mailer.storage.ledger import SqlLedger
from mailer.storage.register import memberships, subscribers

NOON = datetime(2026, 5, 29, 14, 0, tzinfo=UTC)
HASTY = Orders(first_wait=0.01, longest_wait=0.05, heartbeat=0.05, drain=5.0)


class FrozenClock:
    """A clock that stands still until it is moved on."""

    def __init__(self, instant: datetime = NOON) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def move_on(self, span: timedelta) -> None:
        self.instant += span


class Stage:
    """A database with people in one segment, and an approved campaign for them."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.ledger = SqlLedger(self.database)
        self.agenda = SqlAgenda(self.database)
        self.clock = FrozenClock()

    def people(self, number: int, segment: str = "gads") -> None:
        rows = [_person(index, segment) for index in range(1, number + 1)]
        with self.database.write() as connection:
            connection.execute(insert(subscribers), rows)
            joined = {"segment": segment, "state": "joined", "changed_at": NOON}
            connection.execute(insert(memberships), [joined | {"subscriber_id": row["id"]} for row in rows])

    def move_to(self, domain: str, people: range) -> None:
        """Let these people have their mailboxes at another domain."""
        with self.database.write() as connection:
            for person in people:
                email = f"p{person}@{domain}"
                moved = update(subscribers).where(subscribers.c.id == person)
                connection.execute(moved.values(email=email, email_key=email, domain=domain))

    def rename(self, person: int, email: str) -> None:
        """Give a person another address."""
        with self.database.write() as connection:
            moved = update(subscribers).where(subscribers.c.id == person)
            connection.execute(moved.values(email=email, email_key=address_key(email)))

    def campaign(self, *segments: str) -> Campaign:
        """A campaign that is sending, its recipients frozen."""
        self.agenda.approve(Approval("2026-05", "hash", "Redacción", NOON))
        segments = segments or ("gads",)
        opened = advance.open_campaign(self.agenda, "2026-05", "hash", segments, by="test", now=NOON, again=True)
        self.ledger.freeze(opened.id, language="es", now=NOON)
        return advance.start(self.agenda, self.agenda.get(opened.id), who="test", now=NOON)

    def send(self, campaign: Campaign, transport: object, **more: object) -> Result:
        return asyncio.run(self.sending(campaign, transport, **more))

    async def sending(self, campaign: Campaign, transport: object, **more: object) -> Result:
        given = {"orders": HASTY, "clock": self.clock, "make_message": make_message} | more
        return await send(campaign.id, ledger=self.ledger, transport=transport, **given)

    def states(self, campaign: Campaign) -> dict[str, str]:
        return {row.recipient.email: str(row.state) for row in self.ledger.deliveries(campaign.id)}

    def close(self) -> None:
        self.database.close()


def _person(index: int, segment: str) -> dict[str, object]:
    email = f"{segment}{index}@quito.example"
    stamps = {"created_at": NOON, "updated_at": NOON}
    person = {"id": index, "email": email, "email_key": email, "domain": "quito.example", "state": "active"}
    return person | stamps | {"source": segment, "name": f"Persona {index}"}


def make_message(claimed: Claimed) -> Message:
    """A message as plain as can be."""
    number = f"<{claimed.campaign_id}.{claimed.recipient.subscriber_id}@quito.example>"
    return Message(number, "b@quito.example", claimed.recipient.email, b"Subject: x\r\n\r\nHola\r\n")


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something has come about."""
    while not condition():  # noqa: ASYNC110 - what is waited for knows no events
        await asyncio.sleep(0.005)


class Behaviour:
    """Raises what a test scripted for a recipient: before the hand-off, or after it."""

    def __init__(self, before: Callable[[str], None] = lambda _: None, after: Callable[[str], None] = lambda _: None):
        self.before = before
        self.after = after


class Toy:
    """A way out that keeps what it took, in memory and in a file if it is given one."""

    name = "toy"

    def __init__(self, log: Path | None = None, behaviour: Behaviour | None = None, pause: float = 0.0) -> None:
        self.taken: list[str] = []
        self.log = log
        self.behaviour = behaviour or Behaviour()
        self.pause = pause

    async def open(self) -> "ToyChannel":
        return ToyChannel(self)


class ToyChannel:
    """One conversation with the toy."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy

    async def transmit(self, message: Message, hand_off: HandOff) -> Receipt:
        self.toy.behaviour.before(message.recipient)
        await hand_off()
        # From here on the other side has it, whatever becomes of us.
        if self.toy.log is not None:
            descriptor = os.open(self.toy.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, f"{message.message_id}\n".encode())
            os.close(descriptor)
        self.toy.taken.append(message.recipient)
        await asyncio.sleep(self.toy.pause)
        self.toy.behaviour.after(message.recipient)
        return Receipt("250 2.0.0 taken")

    async def close(self) -> None:
        pass


def main(url: str, campaign: str, log: str, rate: str = "", seconds: str = "45 0.002") -> None:
    """Send the campaign in a process of its own, so that a test can kill it; `seconds` are its lease and a message."""
    stage = Stage(url)
    stage.clock = SystemClock()
    pace = Pace((Rate.parse(rate),)) if rate else Pace()
    lease, pause = map(float, seconds.split())
    orders = Orders(batch=20, heartbeat=0.1, pace=pace, lease=timedelta(seconds=lease))
    stage.send(stage.agenda.get(int(campaign)), Toy(Path(log), pause=pause), orders=orders)


if __name__ == "__main__":
    main(*sys.argv[1:])
