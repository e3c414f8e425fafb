"""
What a second worker brings, and what the coordination costs: a signed campaign on one PostgreSQL, in one run.

    python -m benchmarks.cluster [--people 4000] [--rounds 2] [--connections 32]

Three ways take turns: one sender that claims by itself, as `mailer send` does; one worker, and two, that take slices
from the queue. Messages a second are those of the ledger's own times, from the first message to the last; processor
time is the senders' from the order on; transactions and row updates are PostgreSQL's own count. The server is light
and in a process of its own; everything runs on the cores of this machine.

So a second worker can't bring twice the messages where PostgreSQL and the server need the same cores. What all
processes together take for a message says how many these cores could send at the very most; the ratio reached is held
against that one too. `--bits 4096` makes the senders' share so large that the others' hardly counts.
"""

import argparse
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import func, select, text

from benchmarks.ground import Ground, an_empty_database, fork
from benchmarks.machines import Publication, empty, end, wait_until
from benchmarks.sending import Sink, light_sink
from mailer import dispatch
from mailer.campaigns.campaign import State
from mailer.cluster.dealing import SLICE
from mailer.deliveries.delivery import Handed, Settlement
from mailer.deliveries.delivery import State as Delivered
from mailer.deliveries.process import Process
from mailer.storage.campaign_tables import deliveries

_COUNTED = "SELECT xact_commit, tup_updated FROM pg_stat_database WHERE datname = current_database()"
_SETTLES = 1.5  # seconds until PostgreSQL's counts are written


class Figures(NamedTuple):
    """What one campaign took."""

    rate: float
    cpu: float  # seconds of all senders for 1,000 messages
    database: float  # the same of PostgreSQL
    sink: float  # and of the server that takes the messages
    commits: float  # for a message
    updates: float  # rows a second

    @property
    def everything(self) -> float:
        """Processor seconds of all processes for 1,000 messages."""
        return self.cpu + self.database + self.sink


def measure(publication: Publication, ground: Ground, sink: Sink, people: int, senders: int) -> Figures:
    """Send a campaign with so many workers; with one sender of the old kind if there are none."""
    if senders:
        processes = [publication.worker() for _ in range(senders)]
        scheduler = publication.scheduler()
        time.sleep(5)  # they are at work before the campaign begins
    commits, updates = counted(ground)
    server = postmaster(ground.url)
    others = processor_time(server), sink.cpu
    campaign = publication.begin(again=True)
    if not senders:
        processes = [fork(lambda: alone(publication, campaign))]
    started = sum(map(processor_time, processes))
    # Over one connection: to look costs as little as it can.
    wait_until(lambda: ground.agenda.get(campaign).state is State.FINISHED, 280)
    database, served = processor_time(server) - others[0], sink.cpu - others[1]
    used = sum(map(processor_time, processes)) - started
    for process in processes:
        os.kill(process, signal.SIGTERM)
        os.waitpid(process, 0)
    if senders:
        end(scheduler)
    after = counted(ground)
    seconds = lasted(ground, campaign)
    return Figures(
        rate=people / seconds,
        cpu=used / people * 1000,
        database=database / people * 1000,
        sink=served / people * 1000,
        commits=(after[0] - commits) / people,
        updates=(after[1] - updates) / seconds,
    )


def alone(publication: Publication, campaign: int) -> None:
    """Send as `mailer send` does."""
    import uvloop

    with publication.app() as app:
        uvloop.run(dispatch.send(app, app.agenda.get(campaign)))


def counted(ground: Ground) -> tuple[int, int]:
    """Transactions and row updates of the database so far."""
    time.sleep(_SETTLES)
    with ground.database.read() as connection:
        row = connection.execute(text(_COUNTED)).one()
    ground.close()
    return int(row[0]), int(row[1])


def lasted(ground: Ground, campaign: int) -> float:
    """Seconds from the first message to the last."""
    at = deliveries.c.updated_at
    with ground.database.read() as connection:
        first, last = connection.execute(
            select(func.min(at), func.max(at)).where(deliveries.c.campaign_id == campaign)
        ).one()
    ground.close()
    return float((last - first).total_seconds())


def ledger_alone(ground: Ground, number: int, processes: int) -> float:
    """Deliveries a second that so many processes take through claim, hand-off and outcome, without sending anything."""
    campaign = ground.campaign("2022-10")
    ground.close()
    started = time.perf_counter()
    for process in [fork(lambda: book(ground, campaign)) for _ in range(processes)]:
        if os.waitpid(process, 0)[1]:
            raise SystemExit("a process of the benchmark failed")
    return number / (time.perf_counter() - started)


def postmaster(url: str) -> int:
    """The process that all others of a PostgreSQL are children of."""
    folder = Path(parse_qs(urlsplit(url).query)["host"][0])
    return int((folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])


def processor_time(process: int) -> float:
    """Processor seconds that a process has used, and its children, those that are gone too."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            number, _, rest = file.read_text(encoding="utf-8", errors="replace").rpartition(")")
            fields = rest.split()
            if int(number.split()[0]) == process:
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) == process:
                ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def book(ground: Ground, campaign: int) -> None:
    """Claim, hand off and settle until nothing is left, 25 at a time, as that many connections would hand in."""
    now = datetime.now(UTC) + timedelta(seconds=1)
    run = ground.ledger.begin(campaign, Process.this(), lease=timedelta(minutes=5), now=now)
    while claimed := [each.id for each in ground.ledger.claim(run, 100, now=now)]:
        for start in range(0, len(claimed), 25):
            part = claimed[start : start + 25]
            ground.ledger.record(run, [Handed(each, "smtp") for each in part], [], now=now)
            ground.ledger.record(run, [], [Settlement(each, Delivered.SENT, "250 ok", 250) for each in part], now=now)
    ground.ledger.end(run, now=now)


def ways(publication: Publication, ground: Ground, sink: Sink, people: int) -> dict[str, Callable[[], Figures]]:
    """The three ways, by name."""
    return {
        "one sender by itself": lambda: measure(publication, ground, sink, people, 0),
        "1 worker": lambda: measure(publication, ground, sink, people, 1),
        "2 workers": lambda: measure(publication, ground, sink, people, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=32, help="of one machine")
    parser.add_argument("--bits", type=int, default=2048, help="of the RSA key that signs")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="mailer-cluster-") as name,
        an_empty_database("postgres", Path(name)) as url,
        light_sink(options.people * options.rounds * 3) as sink,
    ):
        key = rsa.generate_private_key(public_exponent=65537, key_size=options.bits)
        plain = PrivateFormat.PKCS8, NoEncryption()
        (Path(name) / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, *plain))
        signing = f'\n[dkim]\nselector = "b"\nkey_file = "{name}/key.pem"\n'
        delivery = f"connections = {options.connections}"
        publication = Publication(empty(Path(name) / "it"), url, sink.port, delivery=delivery, more=signing)
        ground = Ground(url)
        ground.people(options.people)
        found: dict[str, list[Figures]] = {}
        load = os.getloadavg()[0]
        print(
            f"{options.people} messages signed by RSA-{options.bits}, slices of {SLICE}, {os.cpu_count()} cores, "
            f"load {load:.1f}"
        )
        for _ in range(options.rounds):
            for way, work in ways(publication, ground, sink, options.people).items():
                found.setdefault(way, []).append(work())
        show(found)
        for number in (1, 2, 4):
            before = processor_time(postmaster(url))
            rate = ledger_alone(ground, options.people, number)
            row = (processor_time(postmaster(url)) - before) / options.people / 3 * 1e6
            print(
                f"the ledger alone, {number} at it: {rate:.0f} deliveries, {3 * rate:.0f} writes a second, "
                f"{row:.0f} µs of PostgreSQL's processor time a write"
            )


def show(found: dict[str, list[Figures]]) -> None:
    """A line for each way, by the median of its rounds."""
    print(f"\n{'':<24}{'msg/s':>8}{'CPU-s/1000':>12}{'PostgreSQL':>12}{'sink':>8}{'commits/msg':>13}{'updates/s':>11}")
    middle = {way: Figures(*map(statistics.median, zip(*each, strict=True))) for way, each in found.items()}
    for way, each in middle.items():
        print(
            f"{way:<24}{each.rate:>8.0f}{each.cpu:>12.3f}{each.database:>12.3f}{each.sink:>8.3f}"
            f"{each.commits:>13.3f}{each.updates:>11.0f}"
        )
    alone_, one, two = middle.values()
    cores = os.cpu_count() or 1
    most = cores / one.everything * 1000
    print(f"\n2 workers to 1: {two.rate / one.rate:.2f} times the messages a second")
    print(
        f"all processes take {one.everything:.2f} CPU-s for 1,000 messages with one worker, {two.everything:.2f} with "
        f"two: {cores} cores give {most:.0f}\na second at the very most, {most / one.rate:.2f} times one worker; "
        f"two reach {two.rate / most:.0%} of that"
    )
    print(
        f"coordination: {(one.cpu - alone_.cpu) * 1000:.0f} µs of processor time and "
        f"{one.commits - alone_.commits:+.3f} transactions a message"
    )


if __name__ == "__main__":
    main()
