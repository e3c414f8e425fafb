"""
How well several workers keep one rate together: what goes out in a minute, beside what may.

    python -m benchmarks.pace [--rate 100] [--workers 2]

A campaign on a PostgreSQL of its own; the minute begins a few seconds after the first message, and what was sent in it
is counted in the ledger, second by second and in all. Exits with 1 if the minute is off by more than 5 %.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.ground import Ground, an_empty_database
from benchmarks.machines import Publication, empty, end, wait_until
from mailer.storage.campaign_tables import deliveries
from mailer.testing import sink_process

_BEGINS, _LASTS = timedelta(seconds=5), timedelta(seconds=60)


def sent_at(ground: Ground, after: datetime | None = None) -> list[datetime]:
    """When each message was sent."""
    query = select(deliveries.c.updated_at).where(deliveries.c.state == "sent")
    with ground.database.read() as connection:
        found = list(connection.scalars(query if after is None else query.where(deliveries.c.updated_at >= after)))
    ground.close()
    return found


def first_sent(ground: Ground) -> datetime | None:
    """When the first message was sent."""
    with ground.database.read() as connection:
        first: datetime | None = connection.scalar(
            select(func.min(deliveries.c.updated_at)).where(deliveries.c.state == "sent")
        )
    ground.close()
    return first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=100, help="a second")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="mailer-pace-") as name,
        an_empty_database("postgres", Path(name)) as url,
        sink_process(Path(name) / "log", durable=False) as sink,
    ):
        publication = Publication(empty(Path(name) / "it"), url, sink.port, delivery=f'rate = "{options.rate}/s"')
        ground = Ground(url)
        ground.people(options.rate * 75)
        ground.close()
        processes = [publication.scheduler(), *(publication.worker() for _ in range(options.workers))]
        time.sleep(5)  # they are at work before the campaign begins
        publication.begin()
        wait_until(lambda: first_sent(ground) is not None, 60)
        first = first_sent(ground)
        assert first is not None
        time.sleep((_BEGINS + _LASTS).total_seconds() + 1)
        begins = first + _BEGINS
        within = [at for at in sent_at(ground, begins) if at < begins + _LASTS]
        for process in processes:
            end(process, signal.SIGKILL)
    seconds = Counter(int((at - begins).total_seconds()) for at in within)
    off = len(within) / (options.rate * _LASTS.total_seconds()) - 1
    print(
        f"{options.workers} workers, {options.rate}/s: {len(within)} in a minute, {off:+.1%}; "
        f"the slowest second {min(seconds[each] for each in range(60))}, the fastest {max(seconds.values())}"
    )
    sys.exit(0 if abs(off) <= 0.05 else 1)


if __name__ == "__main__":
    main()
