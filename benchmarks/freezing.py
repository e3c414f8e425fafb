"""
How long it takes to fix who gets a campaign, and whether a claim costs the same in a large one as in a small one.

    python -m benchmarks.freezing [--people 1000000] [--database sqlite|postgres] [--folder DIR]
"""

import argparse
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.ground import Ground, an_empty_database
from mailer.deliveries.delivery import Handed, Settlement, State
from mailer.deliveries.process import Process

_BATCHES = 50
_BATCH = 200


def per_delivery(ground: Ground, campaign: int) -> float:
    """Microseconds of wall time that the ledger takes for one delivery: claimed, handed over, settled."""
    now = datetime.now(UTC)
    run = ground.ledger.begin(campaign, Process.this(), lease=timedelta(minutes=5), now=now)
    done, started = 0, time.perf_counter()
    for _ in range(_BATCHES):
        claimed = [each.id for each in ground.ledger.claim(run, _BATCH, now=now)]
        ground.ledger.record(run, [Handed(each) for each in claimed], (), now=now)
        ground.ledger.record(
            run, (), [Settlement(each, State.SENT, reply="250 2.0.0 taken") for each in claimed], now=now
        )
        done += len(claimed)
    took = (time.perf_counter() - started) / max(done, 1) * 1e6
    ground.ledger.end(run, now=now)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--folder", type=Path, help="where the database is made; the disk counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailer-bench-", dir=options.folder) as folder:
        for people in (20_000, options.people):
            place = Path(folder) / str(people)
            place.mkdir()
            with an_empty_database(options.database, place) as url:
                ground = Ground(url)
                ground.people(people)
                started = time.perf_counter()
                campaign = ground.campaign()
                frozen = time.perf_counter() - started
                counting = time.perf_counter()
                assert ground.ledger.account(campaign).recipients == people
                counting = time.perf_counter() - counting
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
                print(
                    f"{people:>9} recipients: frozen in {frozen:.2f} s, counted in {counting * 1000:.0f} ms, "
                    f"{per_delivery(ground, campaign):.0f} µs a delivery in the ledger, {memory:.0f} MB at most",
                    flush=True,
                )
                ground.close()


if __name__ == "__main__":
    main()
