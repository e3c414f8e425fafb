"""
How many readers can leave at once while a campaign is sending: RFC 8058 POSTs against `mailer serve` on one core.

Run it with `python -m benchmarks.unsubscribe [READERS [SECONDS [CONNECTIONS]]]`. A campaign to READERS goes out over
SMTP to a local server meanwhile, on the other core, into the same database; the load comes from that core too. It
prints requests a second and latencies, and fails below 500 a second or above 100 ms at the 99th percentile.
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
LEAST, MOST = 500, 0.100


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


async def leave(port: int, tokens: list[str], latencies: list[float], until: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while tokens and time.perf_counter() < until:
        request = HEAD.format(token=tokens.pop(), length=len(BODY)).encode() + BODY
        begun = time.perf_counter()
        writer.write(request)
        answer = await reader.readuntil(b"OK\n")
        latencies.append(time.perf_counter() - begun)
        assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    writer.close()


async def load(port: int, tokens: list[str], seconds: float, connections: int) -> tuple[list[float], float]:
    latencies: list[float] = []
    begun = time.perf_counter()
    await asyncio.gather(*(leave(port, tokens, latencies, begun + seconds) for _ in range(connections)))
    return latencies, time.perf_counter() - begun


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


def measure(folder: Path, readers: int, seconds: float, connections: int) -> bool:
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
        with running(config, first, "serve", "--port", str(port)), running(config, other, *send) as sending:
            wait_for(port)
            while not (before := len(sink.accepted())):
                time.sleep(0.1)
            latencies, took = asyncio.run(load(port, tokens, seconds, connections))
            still_sending = sending.poll() is None
            sent = len(sink.accepted()) - before
        house.close()
    latencies.sort()
    rate, slow = len(latencies) / took, latencies[int(len(latencies) * 0.99)]
    middle, worst = latencies[len(latencies) // 2], latencies[-1]
    print(f"{len(latencies)} readers left in {took:.1f} s over {connections} connections: {rate:.0f} a second")
    print(f"latency: median {middle * 1e3:.1f} ms, 99 % {slow * 1e3:.1f} ms, worst {worst * 1e3:.1f} ms")
    print(f"meanwhile {sent} messages went out: {sent / took:.0f} a second")
    if not still_sending:
        print("the campaign ended too early for the figures to count; give more READERS")
    return still_sending and rate >= LEAST and slow < MOST


def main() -> None:
    readers, seconds, connections = (
        int(sys.argv[at]) if len(sys.argv) > at else default for at, default in ((1, 30_000), (2, 10), (3, 32))
    )
    with tempfile.TemporaryDirectory(prefix="mailer-unsubscribe-") as folder:
        kept = measure(Path(folder), readers, seconds, connections)
    sys.exit(0 if kept else f"less than {LEAST} a second, or slower than {MOST * 1e3:.0f} ms at the 99th percentile")


if __name__ == "__main__":
    main()
