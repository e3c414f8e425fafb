"""
What 1 to 16 machines and one PostgreSQL send: a simulation, from figures that are measured.

    python -m benchmarks.scale [--cpu 1.4] [--row 80] [--commit 1.0] [--answer 50] [--cores 2] …

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
        self.waiting = 0
        self.outcomes = 0
        self.is_committing = False


class Simulation:
    """Machines at work on a heap of events: (instant, order, what, process)."""

    def __init__(self, machines: int, options: argparse.Namespace) -> None:
        self.options = options
        self.dice, self.order = random.Random(options.seed), itertools.count()
        self.database = Station(options.database_cores)
        places = [(Station(options.cores), Station(1)) for _ in range(machines)]
        self.processes = [Process(*place) for place in places for _ in range(options.cores)]
        self.events: list[tuple[float, int, str, Process]] = []
        self.left, self.done, self.now = _MESSAGES * machines, 0, 0.0

    def run(self) -> float:
        """Messages a second."""
        for process in self.processes:
            for _ in range(self.options.connections // self.options.cores):
                self._later(self.dice.uniform(0, 1e-3), "next", process)
        while self.events:
            self.now, _, what, process = heapq.heappop(self.events)
            self._happen(what, process)
            if process.waiting and not process.is_committing:
                self._commit(process)
        return self.done / self.now

    def _later(self, at: float, what: str, process: Process) -> None:
        heapq.heappush(self.events, (at, next(self.order), what, process))

    def _answer(self) -> float:
        return self.dice.expovariate(1000 / self.options.answer)

    def _happen(self, what: str, process: Process) -> None:
        if what == "next" and self.left:
            self.left -= 1
            on_the_wire = _OCTETS * 8 / (self.options.gigabits * 1e9)
            at = process.link.serve(process.machine.serve(self.now, self.options.cpu * 1e-3), on_the_wire)
            self._later(at + self._answer(), "ready", process)
        elif what == "ready":
            process.waiting += 1
        elif what == "handed":
            self._later(self.now + self._answer(), "answered", process)
        elif what == "free":
            process.is_committing = False
        elif what == "answered":
            self.done += 1
            process.outcomes += 1
            self._later(self.now, "next", process)

    def _commit(self, process: Process) -> None:
        number, process.waiting, process.is_committing = process.waiting, 0, True
        rows = number * 2 + process.outcomes  # a claim's share rides along
        process.outcomes = 0
        at = self.database.serve(self.now, rows * self.options.row * 1e-6) + self.options.commit * 1e-3
        for _ in range(number):
            self._later(at, "handed", process)
        self._later(at, "free", process)


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
    parser.add_argument("--cpu", type=float, default=1.4, help="ms of one core for a message, signed")
    parser.add_argument("--row", type=float, default=80, help="µs of a database core to write a row")
    parser.add_argument("--commit", type=float, default=1.0, help="ms until a commit is on the disk")
    parser.add_argument("--answer", type=float, default=50, help="ms until the server answers, each of two times")
    parser.add_argument("--cores", type=int, default=2, help="of one machine")
    parser.add_argument("--connections", type=int, default=64, help="of one machine")
    parser.add_argument("--database-cores", type=int, default=4)
    parser.add_argument("--gigabits", type=float, default=1.0, help="of one machine's link")
    parser.add_argument("--quota", type=float, default=0.0, help="messages a second that the provider takes; 0: any")
    parser.add_argument("--machines", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    print(f"{'machines':>8}{'simulated/s':>13}{'bound/s':>10}  by what{'':<9}{'a day':>14}")
    for machines in options.machines:
        allowed = bounds(machines, options)
        tightest = min(allowed, key=allowed.__getitem__)
        rate = min(Simulation(machines, options).run(), options.quota or float("inf"))
        print(f"{machines:>8}{rate:>13.0f}{allowed[tightest]:>10.0f}  {tightest:<16}{rate * 86_400:>14,.0f}")


if __name__ == "__main__":
    main()
