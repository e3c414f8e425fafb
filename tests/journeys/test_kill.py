"""The machine dies in the middle of a campaign."""

import signal
import time
from collections import Counter

from mailer.testing import sink_process

PEOPLE = 2000


def test_a_killed_campaign_is_taken_up(publication, tmp_path) -> None:
    """SIGKILL mid-send, then `send` again: everybody has it, recorded ones once, a second copy is on the list."""
    publication.enlist(PEOPLE, "partners")
    publication.run("approve", "2022-11", "--by", "Dirección")
    with sink_process(tmp_path / "accepted.log", durable=True) as sink:
        publication.send_over_smtp(sink.port)
        sending = publication.start("send", "2022-11", "--segment", "partners", "--yes")
        try:
            until = time.monotonic() + 200
            while len(sink.accepted()) < PEOPLE // 4:
                assert sending.poll() is None
                assert time.monotonic() < until
                time.sleep(0.02)
            sending.send_signal(signal.SIGKILL)
        finally:
            sending.kill()
            sending.communicate(timeout=100)
        recorded = {line["email"] for line in publication.json("deliveries", "2022-11") if line["state"] == "sent"}
        at_death = len(sink.accepted())
        account = publication.json("send", "2022-11", "--yes")
        copies = Counter(recipient for _, recipient in sink.accepted())
    assert PEOPLE // 4 <= at_death < PEOPLE
    assert account["reconciled"] is True
    states = {line["email"]: line["state"] for line in publication.json("deliveries", "2022-11")}
    uncertain = {address for address, state in states.items() if state == "uncertain"}
    assert Counter(states.values()) == {"sent": PEOPLE - len(uncertain)} | (
        {"uncertain": len(uncertain)} if uncertain else {}
    )
    assert {address for address, count in copies.items() if count > 1} == set()
    assert set(states) - set(copies) <= uncertain
    assert all(copies[address] == 1 for address in recorded)
