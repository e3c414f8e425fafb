"""
What a campaign costs: the whole engine, its ledger durable, beside what others take for the same letters.

    python -m benchmarks.sending [--people 20000] [--connections 64] [--alone] [--folder DIR] [--others 400]

60 kB of HTML and text for each recipient, their own values in eight places, over SMTP to a light server of our own in
a process of its own, which counts and throws away. Prints messages a second, the senders' processor seconds for a
thousand messages, and the most memory that all their processes held (PSS); then the same for the first 20,000 of a
campaign of a million, whose letters should cost no more (`--crowd 0` leaves that out).

In the same run the same letters go through smtplib and aiosmtplib with EmailMessage and, where node finds it,
nodemailer with a pool (`npm install nodemailer`, and NODE_PATH). None of these keeps an account; ours does. `--alone`
leaves them out.
"""

import argparse
import asyncio
import json
import os
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import NamedTuple

from benchmarks.ground import HEAVY, LETTERHEAD, SIGNER, Cost, Ground, Sender, measure
from mailer.deliveries.orders import Orders
from mailer.messages import dkim
from mailer.messages.letterhead import identity
from mailer.testing import a_recipient

DOMAIN = "relaciones.quito.example"
SUBJECT = HEAVY.subject
HERE = Path(__file__).parent


class Sink(NamedTuple):
    """A light server: its port, its process, and what that had used when it began to listen."""

    port: int
    process: subprocess.Popen[str]
    begun: float

    @property
    def cpu(self) -> float:
        """Processor seconds it has used on what it was sent."""
        return _cpu(self.process.pid) - self.begun


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def light_sink(expected: int | None) -> Iterator[Sink]:
    """A server that counts messages and throws them away; it must have counted what was expected, if that is known."""
    command = [sys.executable, "-m", "mailer.testing", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline().rpartition(":")[2])
            yield Sink(port, process, _cpu(process.pid))
        finally:
            process.terminate()
        counted = json.loads(process.stdout.readline())["messages"]
    if expected is not None and counted != expected:
        raise SystemExit(f"the server counted {counted} messages, not {expected}: the benchmark is wrong")


def letter(number: int) -> EmailMessage:
    """The letter to one recipient as the standard library writes it."""
    recipient, named = a_recipient(number), identity(LETTERHEAD, SIGNER, 1, number)
    values = {
        "greeting": f"Estimada señora Alcaldesa {number}",
        "institution": recipient.institution,
        "unsubscribe_url": named.unsubscribe_url,
        "preferences_url": named.preferences_url,
        "web_url": LETTERHEAD.web_url(HEAVY),
    }
    text, page = HEAVY.text, HEAVY.html
    for slot, value in values.items():
        text, page = text.replace(f"@@{slot}@@", value), page.replace(f"@@{slot}@@", value)
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = str(LETTERHEAD.sender), f"{recipient.name} <{recipient.email}>"
    message["Subject"], message["Message-ID"] = SUBJECT, named.message_id
    message["List-Unsubscribe"] = f"<{named.unsubscribe_url}>"
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    return message


def by_smtplib(port: int, count: int) -> Callable[[], None]:
    def work() -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            for number in range(count):
                client.send_message(letter(number))

    return work


def by_aiosmtplib(port: int, count: int, connections: int) -> Callable[[], None]:
    import aiosmtplib
    import uvloop

    async def one(numbers: Iterator[int]) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for number in numbers:
                await client.send_message(letter(number))

    async def work() -> None:
        numbers = iter(range(count))
        await asyncio.gather(*(one(numbers) for _ in range(connections)))

    return lambda: uvloop.run(work())


def by_nodemailer(port: int, count: int, connections: int, pem: str = "") -> Callable[[], None]:
    order = {"port": port, "count": count, "connections": connections, "html": HEAVY.html, "text": HEAVY.text}
    order |= {"subject": SUBJECT, "sender": str(LETTERHEAD.sender), "domain": DOMAIN, "pem": pem}
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False, encoding="utf-8") as file:
        json.dump(order, file)

    def work() -> None:
        os.execvp("node", ["node", str(HERE / "nodemailer.cjs"), file.name])

    return work


def has_nodemailer() -> bool:
    if not shutil.which("node"):
        return False
    found = subprocess.run(["node", "-e", "require('nodemailer')"], capture_output=True, check=False, cwd=HERE)
    return found.returncode == 0


class Table:
    """Prints a line for each way as it is measured."""

    def __init__(self) -> None:
        self._first: dict[bool, Cost] = {}
        print(f"{'':<38}{'messages':>9}{'msg/s':>8}{'CPU-s/1000':>12}{'peak MB':>9}{'times ours':>12}{'sink':>8}")

    def add(self, name: str, cost: Cost, *, sink_cpu: float, signed: bool = False, ours: bool = False) -> None:
        """Print a line; how many times ours it is refers to our first of its kind."""
        if ours:
            self._first.setdefault(signed, cost)
        ratio = f"{cost.cpu_per_thousand / self._first[signed].cpu_per_thousand:.1f}" if signed in self._first else "–"
        sink = sink_cpu / cost.messages * 1000
        print(
            f"{name:<38}{cost.messages:>9}{cost.rate:>8.0f}{cost.cpu_per_thousand:>12.3f}"
            f"{cost.peak / 1e6:>9.0f}{ratio:>12}{sink:>8.3f}",
            flush=True,
        )


def send_ours(
    ground: Ground, options: argparse.Namespace, keys: Sequence[dkim.Key], processes: int
) -> tuple[Cost, float]:
    campaign = ground.campaign()
    ground.close()
    orders = Orders(connections=options.connections // processes, batch=options.batch)
    with light_sink(options.people) as sink:
        sender = Sender(ground.url, campaign, sink.port, keys=keys, orders=orders)
        cost = measure(options.people, *[sender] * processes)
        used = sink.cpu
    account = ground.ledger.account(campaign)
    ground.close()
    assert account.sent == options.people, account
    return cost, used


def send_part(ground: Ground, options: argparse.Namespace) -> tuple[Cost, float]:
    """Our first so many letters of a campaign that is far larger."""
    campaign = ground.campaign()
    ground.close()
    orders = Orders(connections=options.connections, batch=options.batch)
    with light_sink(None) as sink:
        cost = measure(
            options.people, Sender(ground.url, campaign, sink.port, orders=orders, stop_after=options.people)
        )
        used = sink.cpu
    sent = ground.ledger.account(campaign).sent
    ground.close()
    assert options.people <= sent < options.crowd, sent
    return cost._replace(messages=sent), used


def against(count: int, make: Callable[[int], Callable[[], None]]) -> tuple[Cost, float]:
    with light_sink(count) as sink:
        return measure(count, make(sink.port)), sink.cpu


def compare(table: Table, options: argparse.Namespace, pem: str) -> None:
    many, few = options.connections, options.others
    cost, sink = against(few, lambda port: by_smtplib(port, few))
    table.add("smtplib + EmailMessage", cost, sink_cpu=sink)
    cost, sink = against(few, lambda port: by_aiosmtplib(port, few, many))
    table.add("aiosmtplib + EmailMessage", cost, sink_cpu=sink)
    if not has_nodemailer():
        print("nodemailer: skipped, node doesn't find it")
        return
    for signed in (False, True):
        key = pem if signed else ""
        cost, sink = against(few * 4, lambda port, key=key: by_nodemailer(port, few * 4, many, key))
        table.add(f"nodemailer, pooled{', RSA-2048' if signed else ''}", cost, sink_cpu=sink, signed=signed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=64, help="of all processes together")
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--others", type=int, default=400, help="how many letters the others get to send")
    parser.add_argument("--crowd", type=int, default=1_000_000, help="size of the large campaign; 0: none")
    parser.add_argument("--alone", action="store_true", help="don't measure the others")
    parser.add_argument("--folder", type=Path, help="where the database is made; the disk counts")
    options = parser.parse_args()
    pem = dkim.keygen(DOMAIN, "b").private_pem
    keys = [dkim.Key.load(pem, domain=DOMAIN, selector="b")]
    with tempfile.TemporaryDirectory(prefix="mailer-bench-", dir=options.folder) as folder:
        ground = Ground(f"sqlite:///{folder}/mailer.db")
        ground.people(options.people)
        size = len(letter(1).as_bytes()) / 1000
        load = os.getloadavg()[0]
        print(f"{size:.0f} kB a letter, {options.connections} connections, {os.cpu_count()} cores, load {load:.1f}")
        print(f"SQLite, synchronous=FULL, one commit on this disk {commit_cost(Path(folder)) * 1000:.2f} ms\n")
        table = Table()
        for signed in (False, True):
            for processes in (1, 2):
                cost, sink = send_ours(ground, options, keys if signed else (), processes)
                name = f"mailer, {processes} process{'es' * (processes > 1)}{', RSA-2048' if signed else ''}"
                table.add(name, cost, sink_cpu=sink, signed=signed, ours=True)
        if options.crowd:
            crowd = Ground(f"sqlite:///{folder}/crowd.db")
            crowd.people(options.crowd)
            cost, sink = send_part(crowd, options)
            table.add(f"mailer, the first of {options.crowd:,}", cost, sink_cpu=sink)
        if not options.alone:
            compare(table, options, pem)


def commit_cost(folder: Path, count: int = 50) -> float:
    """Seconds that a synced write takes here."""
    with (folder / "probe").open("wb") as file:
        started = time.perf_counter()
        for _ in range(count):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        return (time.perf_counter() - started) / count


if __name__ == "__main__":
    main()
