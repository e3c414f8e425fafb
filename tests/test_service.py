"""`mailer run` and `mailer send` as processes: signals, kills, and the account after them."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailer.testing import sink_process
from tests.publication import Publication

PEOPLE = 400


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[object]:
    """An SMTP server in a process of its own."""
    with sink_process(tmp_path / "accepted.log") as server:
        yield server


@pytest.fixture
def publication(tmp_path: Path, sink) -> Publication:
    """A publication with an approved issue, a list, and the server as its way out."""
    made = Publication.small(tmp_path)
    made.send_over_smtp(sink.port)
    made.enlist(PEOPLE, "gads")
    made.run("approve", "2022-11", "--by", "Dirección")
    return made


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what has to come, however slow the machine is."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_killed_send_is_taken_up_by_the_service(publication: Publication, sink):
    """SIGKILL in mid-campaign, then `mailer run`: nobody is lost, copies are listed, and SIGTERM ends it with 0."""
    with publication.start("send", "2022-11", "--yes") as sender:
        wait_until(lambda: len(sink.accepted()) > PEOPLE // 4)
        sender.send_signal(signal.SIGKILL)
    assert publication.json("campaigns", "show", "1")["reconciled"]
    with publication.start("run") as service:
        wait_until(lambda: publication.json("campaigns", "show", "1")["state"] == "finished")
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=60)
    assert service.returncode == 0
    lines = publication.json("deliveries", "2022-11")
    copies = Counter(recipient for _, recipient in sink.accepted())
    doubtful = {line["email"] for line in lines if line["uncertain_at"]}
    assert len(lines) == PEOPLE
    assert set(copies) | doubtful == {line["email"] for line in lines}
    assert {email for email, number in copies.items() if number > 1} <= doubtful
    assert {line["state"] for line in lines} <= {"sent", "uncertain"}


def test_a_send_that_is_asked_to_stop_says_how_to_go_on(publication: Publication, sink):
    """SIGTERM in the foreground lands what is in flight, gives the rest back, and the next send finishes."""
    with publication.start("send", "2022-11", "--yes") as sender:
        wait_until(lambda: len(sink.accepted()) > 20)
        sender.send_signal(signal.SIGTERM)
        spoken = sender.communicate(timeout=60)[1]
    if sender.returncode:  # a fast machine may have been through
        assert "goes on where it stands" in spoken
        counts = publication.json("send", "2022-11", "--yes")["counts"]
        assert (counts["sent"], counts["uncertain"]) == (PEOPLE, 0)
    assert len(sink.accepted()) == PEOPLE
