"""
Kill senders at random moments, and compare what the server accepted with what the ledger says.

    python -m benchmarks.kills [--kills 200] [--people 5000] [--database sqlite|postgres] [--json]

A campaign after the other is sent to a server in a process of its own, which logs each message durably before its 250.
One sender, or two side by side, are killed with SIGKILL at random moments and started again, a quarter of the kills in
each of four campaigns; the last senders live. The policy is to hold what is uncertain, or to send it again.

Lost is who neither got it nor is listed; unlisted is a second copy that the ledger doesn't admit as possible. Exits
with 1 if there is one of either.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import msgspec

from benchmarks.ground import LETTERHEAD, LIGHT, SIGNER, Ground, Sender, an_empty_database, fork
from mailer.campaigns.account import Account
from mailer.deliveries.delivery import State
from mailer.deliveries.orders import Orders
from mailer.messages.letterhead import message_id
from mailer.testing import sink_process

_LONGEST_LIFE = 0.5  # seconds a sender lives at most before it is killed
_TOLD = (State.SENT, State.UNCERTAIN)


class Tally(msgspec.Struct):
    """The account of all campaigns."""

    campaigns: int = 0
    kills: int = 0
    recipients: int = 0
    accepted: int = 0
    uncertain: int = 0
    listed: int = 0
    duplicates: int = 0
    unlisted: int = 0
    lost: int = 0
    wrongly_sent: int = 0
    unreconciled: int = 0

    @property
    def is_kept(self) -> bool:
        """Whether the promise was kept."""
        return not (self.unlisted or self.lost or self.wrongly_sent or self.unreconciled)


class Executioner:
    """Starts senders and kills them."""

    def __init__(self, ground: Ground, port: int, dice: random.Random, tally: Tally) -> None:
        self.ground = ground
        self.port = port
        self.dice = dice
        self.tally = tally

    def send(self, campaign: int, *, policy: str, together: int, kills: int) -> None:
        """Send a campaign by so many senders at a time, killing until the kills are used up or it is over."""
        orders = Orders(connections=4, batch=50, on_uncertain=policy, lease=timedelta(seconds=20), heartbeat=0.1)
        sender = Sender(self.ground.url, campaign, self.port, edition=LIGHT, orders=orders)
        living = [fork(sender) for _ in range(together)]
        while living or self._look(campaign).pending:
            if not living:  # what the policy sends again five minutes later
                living = [fork(sender._replace(ahead=timedelta(minutes=6)))]
            time.sleep(self.dice.uniform(0, _LONGEST_LIFE) ** 2 / _LONGEST_LIFE)
            if kills and self._look(campaign).pending:
                kills -= self._kill(living.pop(self.dice.randrange(len(living))))
                living.append(fork(sender))
            living = [number for number in living if not os.waitpid(number, os.WNOHANG)[0]]

    def _kill(self, victim: int) -> bool:
        """Kill a sender; it may have come to its end before."""
        os.kill(victim, signal.SIGKILL)
        was_killed = os.WIFSIGNALED(os.waitpid(victim, 0)[1])
        self.tally.kills += was_killed
        return was_killed

    def _look(self, campaign: int) -> Account:
        """The sums at this moment, which must reconcile at any; over a connection that no child inherits."""
        account = self.ground.ledger.account(campaign)
        self.ground.close()
        self.tally.unreconciled += not account.reconciled
        return account


def audit(ground: Ground, campaign: int, accepted: Counter[str], tally: Tally) -> None:
    """Compare the ledger of a finished campaign with the server's log."""
    listed = {line.id for line in ground.ledger.doubtful(campaign)}
    for line in ground.ledger.deliveries(campaign):
        count = accepted[message_id(LETTERHEAD, SIGNER, campaign, line.recipient.subscriber_id)]
        tally.recipients += 1
        tally.accepted += count
        tally.uncertain += line.state is State.UNCERTAIN
        tally.listed += line.id in listed
        tally.duplicates += count > 1
        tally.unlisted += count > 1 and line.id not in listed
        tally.lost += line.state not in _TOLD
        tally.wrongly_sent += line.state is State.SENT and not count
    tally.campaigns += 1
    ground.close()


def work(options: argparse.Namespace, folder: Path, url: str) -> Tally:
    dice, tally = random.Random(options.seed), Tally()
    ground = Ground(url)
    ground.people(options.people)
    with sink_process(folder / "accepted.log") as sink:
        executioner = Executioner(ground, sink.port, dice, tally)
        campaigns = []
        while tally.kills < options.kills:
            campaign = ground.campaign()
            ground.close()
            together, policy = 1 + len(campaigns) % 2, ("hold", "resend")[len(campaigns) // 2 % 2]
            share = min(options.kills - tally.kills, -(-options.kills // 4))
            executioner.send(campaign, policy=policy, together=together, kills=share)
            campaigns.append(campaign)
            if not options.json:
                print(f"campaign {campaign}: {together} at a time, {policy}; {tally.kills} kills so far", flush=True)
        accepted = Counter(identifier for identifier, _ in sink.accepted())
    for campaign in campaigns:
        audit(ground, campaign, accepted, tally)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="mailer-kills-") as name,
        an_empty_database(options.database, Path(name)) as url,
    ):
        tally = work(options, Path(name), url)
    told = msgspec.structs.asdict(tally)
    if options.json:
        print(json.dumps(told))
    else:
        print(f"\n{options.database}, {time.monotonic() - started:.0f} s")
        for name, number in told.items():
            print(f"{name.replace('_', ' '):<14}{number:>8}")
    sys.exit(0 if tally.is_kept else 1)


if __name__ == "__main__":
    main()
