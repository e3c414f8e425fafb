"""
Kill one of three workers at random moments, again and again, and compare what the server accepted with the ledger.

    python -m benchmarks.cluster_kills [--kills 100] [--people 10000] [--workers 3] [--json]

One campaign on a PostgreSQL that it starts itself, dealt out in slices to workers in processes of their own; each
victim is killed with SIGKILL and replaced. The server logs each message durably before its 250. When the kills are used
up the workers live, and the campaign must come to its end.

Lost is who neither got it nor is listed; unlisted is a second copy that the ledger doesn't admit as possible. Exits
with 1 if there is one of either.
"""

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.ground import Ground, an_empty_database
from benchmarks.machines import Publication, empty, end
from mailer.campaigns.campaign import State
from mailer.testing import sink_process
from mailer.testing.process import SinkProcess

_LONGEST_LIFE = 1.6  # seconds between two kills at most


def kill_along(publication: Publication, sink: SinkProcess, options: argparse.Namespace) -> int:
    """Send the campaign while workers are killed; gives how many were killed with something left to send."""
    dice = random.Random(options.seed)
    scheduler = publication.scheduler()
    workers = [publication.worker() for _ in range(options.workers)]
    campaign = publication.begin()
    kills, deadline = 0, time.monotonic() + options.patience
    while publication.state(campaign)[0] is not State.FINISHED:
        if time.monotonic() > deadline:
            raise SystemExit(f"not finished after {options.patience} s: {publication.state(campaign)[1]}")
        time.sleep(dice.uniform(0, _LONGEST_LIFE))
        if kills < options.kills and len(sink.accepted()) < options.people:
            end(workers.pop(dice.randrange(len(workers))), signal.SIGKILL)
            kills += 1
            workers.append(publication.worker())
    for process in [*workers, scheduler]:
        end(process)
    return kills


def tally(publication: Publication, copies: Counter[str], kills: int) -> dict[str, int]:
    """The ledger beside the server's log."""
    found = Counter(kills=kills)
    for line in publication.listed():
        count, listed = copies[str(line["message_id"])], line["uncertain_at"] is not None
        found["recipients"] += 1
        found["accepted"] += count
        found["listed"] += listed
        found["duplicates"] += count > 1
        found["unlisted"] += count > 1 and not listed
        found["lost"] += not count and not listed
        found["wrongly_sent"] += line["state"] == "sent" and not count
        found["open"] += line["state"] not in {"sent", "uncertain"}
    names = ("kills", "recipients", "accepted", "listed", "duplicates", "unlisted", "lost", "wrongly_sent", "open")
    return {name: found[name] for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rate", default="100/s", help="slow enough that the kills strike in mid-send")
    parser.add_argument("--patience", type=float, default=600)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="mailer-cluster-") as name,
        an_empty_database("postgres", Path(name)) as url,
        sink_process(Path(name) / "accepted.log") as sink,
    ):
        publication = Publication(empty(Path(name) / "it"), url, sink.port, delivery=f'rate = "{options.rate}"')
        ground = Ground(url)
        ground.people(options.people)
        ground.close()
        kills = kill_along(publication, sink, options)
        told = tally(publication, Counter(identifier for identifier, _ in sink.accepted()), kills)
    if options.json:
        print(json.dumps(told))
    else:
        print(f"{options.workers} workers, {time.monotonic() - started:.0f} s")
        for each, number in told.items():
            print(f"{each.replace('_', ' '):<14}{number:>8}")
    sys.exit(1 if told["lost"] or told["unlisted"] or told["wrongly_sent"] or told["open"] else 0)


if __name__ == "__main__":
    main()
