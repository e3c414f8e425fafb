"""
What 1 to 16 machines and one PostgreSQL send: a simulation, from figures that are measured.

    python -m benchmarks.scale [--cpu 2.9] [--row 120] [--commit 1.0] [--answer 50] [--cores 2] …

Every message goes the way of the engine: processor time on its machine (writing, signing, speaking SMTP), a wait for
the server, a commit of its hand-off together with all that wait on the same process, the server's answer; its outcome
rides with a later commit. The commits of all machines meet in one PostgreSQL, which has so many processors and takes so
long for a row. Beside the curve stands the bound that is reached: the arithmetic of docs/scale.md, which the simulation
must agree with where one of them rules.
"""

import argparse
import heapq
import itertools
import random
from collections import deque
from typing import Final

_STATIONS: Final = 3  # writes of a row for a message: claimed, handed, settled
_MESSAGES: Final = 6_000
_OCTETS: Final = 60_000


class Station:
    """So many servers with one queue; work is done in the order in which it comes."""

    def __init__(self, servers: int) -> None:
        self._free = [0.0] * servers

    def serve(self, now: float, seconds: float) -> float:
        """When work that comes now is done."""
        begun = max(now, heapq.heappop(self._free))
        heapq.heappush(self._free, begun + seconds)
        return begun + seconds


class Process:
    """One sending process: its commits go one after the other, each with all that waits."""

    def __init__(self, machine: Station, link: Station) -> None:
        self.machine = machine
        self.link = link
        self.waiting: deque[int] = deque()
        self.outcomes = 0
        self.is_committing = False


def simulate(machines: int, options: argparse.Namespace, messages: int = _MESSAGES) -> float:
    """Messages a second of so many machines."""
    dice, order = random.Random(options.seed), itertools.count()
    database = Station(options.database_cores)
    places = [(Station(options.cores), Station(1)) for _ in range(machines)]
    processes = [Process(*place) for place in places for _ in range(options.cores)]
    on_the_wire = _OCTETS * 8 / (options.gigabits * 1e9)
    events: list[tuple[float, int, str, Process]] = []
    messages *= machines
    left, done, now = messages, 0, 0.0

    def later(at: float, what: str, process: Process) -> None:
        heapq.heappush(events, (at, next(order), what, process))

    def commit(process: Process) -> None:
        if process.waiting and not process.is_committing:
            process.is_committing = True
            number = len(process.waiting)
            rows = number * 2 + process.outcomes  # a claim's share rides along
            process.waiting.clear()
            process.outcomes = 0
            at = database.serve(now, rows * options.row * 1e-6) + options.commit * 1e-3
            for _ in range(number):
                later(at, "handed", process)
            later(at, "free", process)

    for process in processes:
        for _ in range(options.connections // options.cores):
            later(dice.uniform(0, 1e-3), "next", process)
    while events:
        now, _, what, process = heapq.heappop(events)
        if what == "next" and left:
            left -= 1
            at = process.link.serve(process.machine.serve(now, options.cpu * 1e-3), on_the_wire)
            later(at + dice.expovariate(1000 / options.answer), "ready", process)
        elif what == "ready":
            process.waiting.append(1)
        elif what == "handed":
            later(now + dice.expovariate(1000 / options.answer), "answered", process)
        elif what == "free":
            process.is_committing = False
        elif what == "answered":
            done += 1
            process.outcomes += 1
            later(now, "next", process)
        commit(process)
    return done / now


def bounds(machines: int, options: argparse.Namespace) -> dict[str, float]:
    """What each part allows, in messages a second."""
    wait = (options.cpu + 2 * options.answer + options.commit) / 1000
    return {
        "processors": machines * options.cores / options.cpu * 1000,
        "connections": machines * options.connections / wait,
        "database": options.database_cores / (_STATIONS * options.row * 1e-6),
        "network": machines * options.gigabits * 1e9 / 8 / _OCTETS,
        "quota": options.quota or float("inf"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", type=float, default=2.9, help="ms of one core for a message, signed")
    parser.add_argument("--row", type=float, default=120, help="µs of a database core to write a row")
    parser.add_argument("--commit", type=float, default=1.0, help="ms until a commit is on the disk")
    parser.add_argument("--answer", type=float, default=50, help="ms until the server answers, each of two times")
    parser.add_argument("--cores", type=int, default=2, help="of one machine")
    parser.add_argument("--connections", type=int, default=64, help="of one machine")
    parser.add_argument("--database-cores", type=int, default=4)
    parser.add_argument("--gigabits", type=float, default=1.0, help="of one machine's link")
    parser.add_argument("--quota", type=float, default=0.0, help="messages a second that the provider takes; 0: any")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    print(f"{'machines':>8}{'simulated/s':>13}{'bound/s':>10}  by what{'':<9}{'a day':>14}")
    for machines in (1, 2, 4, 8, 16):
        allowed = bounds(machines, options)
        tightest = min(allowed, key=allowed.__getitem__)
        rate = min(simulate(machines, options), options.quota or float("inf"))
        print(f"{machines:>8}{rate:>13.0f}{allowed[tightest]:>10.0f}  {tightest:<16}{rate * 86_400:>14,.0f}")


if __name__ == "__main__":
    main()
