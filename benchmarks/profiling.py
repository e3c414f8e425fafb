"""
Where the time of sending goes, for the loop and for the ledger's writer.

    python -m benchmarks.profiling [--people 5000] [--signed] [--lines 25]

Profiling makes Python's own calls look dearer than they are beside what runs in C.
"""

import argparse
import cProfile
import pstats
import sys
import tempfile
import threading

from benchmarks.ground import Ground, Sender
from benchmarks.sending import DOMAIN, light_sink
from mailer.deliveries.orders import Orders
from mailer.messages import dkim


def profile(sender: Sender) -> dict[str, cProfile.Profile]:
    """Run a sender here; gives a profile for each thread that it used, by the thread's name."""
    profiles: dict[str, cProfile.Profile] = {}

    def begin(*_: object) -> None:
        """Called at a new thread's first step: from here on the C profiler watches it."""
        name = threading.current_thread().name
        if name.startswith("ledger"):
            profiles[name] = cProfile.Profile()
            profiles[name].enable()
        else:
            sys.setprofile(None)

    threading.setprofile(begin)
    profiles["loop"] = cProfile.Profile()
    profiles["loop"].runcall(sender)
    threading.setprofile(None)
    return profiles


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--signed", action="store_true")
    parser.add_argument("--lines", type=int, default=25)
    options = parser.parse_args()
    pem = dkim.keygen(DOMAIN, "b").private_pem
    keys = [dkim.Key.load(pem, domain=DOMAIN, selector="b")] if options.signed else []
    with tempfile.TemporaryDirectory(prefix="mailer-bench-") as folder, light_sink(options.people) as sink:
        ground = Ground(f"sqlite:///{folder}/mailer.db")
        ground.people(options.people)
        campaign = ground.campaign()
        orders = Orders(connections=options.connections, batch=200)
        for name, found in profile(Sender(ground.url, campaign, sink.port, keys=keys, orders=orders)).items():
            print(f"\n=== {name} ===")
            pstats.Stats(found).sort_stats("tottime").print_stats(options.lines)
        ground.close()


if __name__ == "__main__":
    main()
