"""
How many readers can leave at once while a campaign is sending: RFC 8058 POSTs against `mailer serve` on one core.

Run it with `python -m benchmarks.unsubscribe [READERS [SECONDS [RATE]]]`. A campaign to READERS goes out over
SMTP to a local server meanwhile, on the other core, into the same database; the load comes from that core too: RATE
requests a second, due whether the one before was answered or not. It prints what was reached and the latencies from
when each request was due, and fails below 500 a second or above 100 ms at the 99th percentile.
"""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailer.app import App
from mailer.storage.register.tables import memberships, subscribers
from mailer.testing import sink_process

ROOT = Path(__file__).parents[1]
BODY = b"List-Unsubscribe=One-Click"
HEAD = (
    "POST /u/{token} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: benchmark\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
)
LEAST, MOST, CONNECTIONS = 500, 0.100, 64


def furnish(folder: Path, port: int) -> Path:
    for part in ("issues", "templates"):
        shutil.copytree(ROOT / part, folder / part)
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    text = text.replace('transport = "outbox"', 'transport = "smtp"')
    path = folder / "config.toml"
    path.write_text(re.sub(r"(?m)^port = \d+", f"port = {port}", text), encoding="utf-8")
    return path


def enrol(house: App, count: int) -> list[str]:
    """Fill the register, and sign everybody's one-click token."""
    now = house.clock.now()
    people = [
        {"id": one, "email": f"r{one}@d{one % 500}.example", "email_key": f"r{one}@d{one % 500}.example"}
        | {"domain": f"d{one % 500}.example", "language": "es", "created_at": now, "updated_at": now}
        for one in range(1, count + 1)
    ]
    joined = [{"subscriber_id": one["id"], "segment": "gads", "changed_at": now} for one in people]
    with house.database.write() as connection:
        connection.execute(subscribers.insert(), people)
        connection.execute(memberships.insert(), joined)
    return [house.signer.sign("unsubscribe", f"1-{one['id']}") for one in people]


@contextmanager
def running(config: Path, core: int, *words: str):
    process = subprocess.Popen(
        [sys.executable, "-m", "mailer", "--config", str(config), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    os.sched_setaffinity(process.pid, {core})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


async def leave(port: int, due: Iterator[tuple[float, str]], latencies: list[float]) -> None:
    """One connection: at each due time a request; its latency counts from when it was due, sent late or not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for moment, token in due:
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        writer.write(HEAD.format(token=token, length=len(BODY)).encode() + BODY)
        answer = await reader.readuntil(b"OK\n")
        latencies.append(time.perf_counter() - moment)
        assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    writer.close()


async def load(port: int, tokens: list[str], rate: float) -> tuple[list[float], float]:
    latencies: list[float] = []
    begun = time.perf_counter()
    due = iter([(begun + at / rate, token) for at, token in enumerate(tokens)])
    await asyncio.gather(*(leave(port, due, latencies) for _ in range(CONNECTIONS)))
    return latencies, time.perf_counter() - begun


def processor_seconds(pid: int) -> float:
    """What a process has used of the processor so far, as Linux counts it."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the server doesn't come up")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def measure(folder: Path, readers: int, seconds: float, rate: float) -> bool:
    first, *others = sorted(os.sched_getaffinity(0))
    other = others[0] if others else first
    with sink_process(folder / "accepted.log", durable=False) as sink:
        config, port = furnish(folder, sink.port), free_port()
        house = App.load(config)
        tokens = enrol(house, readers)
        subprocess.run(
            [sys.executable, "-m", "mailer", "--config", str(config), "approve", "2022-11", "--by", "Benchmark"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        os.sched_setaffinity(0, {other})
        send = ("send", "2022-11", "--segment", "gads", "--yes")
        with running(config, first, "serve", "--port", str(port)) as serving, running(config, other, *send) as sending:
            wait_for(port)
            while not (before := len(sink.accepted())):
                time.sleep(0.1)
            busy = processor_seconds(serving.pid)
            latencies, took = asyncio.run(load(port, tokens[: int(rate * seconds)], rate))
            busy = processor_seconds(serving.pid) - busy
            still_sending = sending.poll() is None
            sent = len(sink.accepted()) - before
        house.close()
    latencies.sort()
    reached, slow = len(latencies) / took, latencies[int(len(latencies) * 0.99)]
    middle, worst = latencies[len(latencies) // 2], latencies[-1]
    print(f"{len(latencies)} readers left in {took:.1f} s over {CONNECTIONS} connections: {reached:.0f} a second")
    print(f"latency: median {middle * 1e3:.1f} ms, 99 % {slow * 1e3:.1f} ms, worst {worst * 1e3:.1f} ms")
    print(f"the server used {busy / len(latencies) * 1e3:.2f} ms of its core for each, {busy / took:.0%} of it in all")
    print(f"meanwhile {sent} messages went out: {sent / took:.0f} a second")
    if not still_sending:
        print("the campaign ended too early for the figures to count; give more READERS")
    return still_sending and reached >= LEAST and slow < MOST


def main() -> None:
    readers, seconds, rate = (
        int(sys.argv[at]) if len(sys.argv) > at else default for at, default in ((1, 30_000), (2, 10), (3, 550))
    )
    with tempfile.TemporaryDirectory(prefix="mailer-unsubscribe-") as folder:
        kept = measure(Path(folder), readers, seconds, rate)
    sys.exit(0 if kept else f"less than {LEAST} a second, or slower than {MOST * 1e3:.0f} ms at the 99th percentile")


if __name__ == "__main__":
    main()
