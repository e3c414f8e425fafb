"""Several processes on one campaign, as `mailer send` runs them."""

import asyncio
import json
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailer import config, crew, dispatch
from mailer.app import App
from mailer.deliveries.ledger import Run
from mailer.deliveries.orders import Ending, Progress
from mailer.testing import Fault, sink_process
from tests.publication import Publication

Strike = Callable[[App, int], None]
PEOPLE = 400  # at 100 a second: there is a middle to strike, also on a machine that is slow to strike


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication with an approved issue and its people, made once and copied."""
    made = Publication.small(tmp_path_factory.mktemp("house"))
    made.configure('^transport = "outbox"', 'transport = "smtp"\nprocesses = 2\nrate = "100/s"')
    made.enlist(PEOPLE, "gads")
    made.run("approve", "2022-11", "--by", "Dirección")
    return made.folder


@contextmanager
def sending(house: Path, folder: Path, **sink: object) -> Iterator[tuple[App, object]]:
    """A copy of the publication that sends to a server of its own."""
    shutil.copytree(house, folder, symlinks=True)
    with sink_process(folder / "accepted.log", durable=False, **sink) as server:
        Publication(folder).configure(r"^port = \d+", f"port = {server.port}")
        app = App(config.load(folder / "config.toml"))
        yield app, server
        app.close()


def children() -> list[int]:
    """The senders that this process has started."""
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    found = [int(number) for number in text.split()]
    return [pid for pid in found if b"mailer.crew" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def begun(app: App) -> object:
    _, compiled = app.compile("2022-11")
    opened = dispatch.open_campaign(app, compiled, ["gads"], by="test")
    return dispatch.begin(app, opened, who="test")


def test_two_processes_send_each_message_once(house: Path, tmp_path: Path):
    """The campaign is finished, nobody got two, and the progress adds up."""
    with sending(house, tmp_path / "it") as (app, server):
        campaign = begun(app)
        told: list[Progress] = []
        result = asyncio.run(crew.send(app, campaign, progress=told.append))
        assert (result.ending, result.account.sent) == (Ending.DONE, PEOPLE)
        copies = Counter(recipient for _, recipient in server.accepted())
        assert len(copies) == PEOPLE
        assert set(copies.values()) == {1}
        assert told[-1].sent == PEOPLE
        assert [each.sent for each in told] == sorted(each.sent for each in told)


def killed(_: App, campaign: int) -> None:
    os.kill(children()[0], signal.SIGKILL)


def taken_over(app: App, campaign: int) -> None:
    """What another sender does with the run of one that was stopped for longer than its lease."""
    app.ledger.end(Run(id=1, campaign_id=campaign), now=app.clock.now())


@pytest.mark.parametrize("strike", [killed, taken_over])
def test_a_lost_sender_is_replaced_and_its_run_recovered(house: Path, tmp_path: Path, strike: Strike):
    """Killed, or taken for dead, in mid-send: nobody is lost or repeated, and only listed ones may be uncertain."""
    with sending(house, tmp_path / "it") as (app, server):
        campaign = begun(app)
        told: list[Progress] = []

        async def strike_one() -> object:
            task = asyncio.create_task(crew.send(app, campaign, progress=told.append))
            while not told or told[-1].sent < 50:  # noqa: ASYNC110 - what is waited for knows no events
                await asyncio.sleep(0.01)
            strike(app, campaign.id)
            return await task

        result = asyncio.run(strike_one())
        account = result.account
        assert account.reconciled
        assert (account.pending, account.sent + account.uncertain) == (0, PEOPLE)
        assert any("another takes its place" in each.waiting for each in told)
        copies = Counter(recipient for _, recipient in server.accepted())
        assert set(copies.values()) == {1}
        listed = {line.recipient.email for line in app.ledger.doubtful(campaign.id)}
        assert len(copies.keys() | listed) == PEOPLE


def test_when_it_is_us_all_stop(house: Path, tmp_path: Path):
    """A sender refused at MAIL ends every process, and the campaign is paused with the server's words."""
    fault = Fault("mail", reply="550 5.7.1 sender blocked")
    with sending(house, tmp_path / "it", faults=[fault]) as (app, _):
        campaign = begun(app)
        result = asyncio.run(crew.send(app, campaign, progress=lambda _: None))
        assert (result.ending, result.account.pending) == (Ending.DOWN, PEOPLE)
        assert "5.7.1 sender blocked" in result.reason


def test_sigterm_drains_all_and_the_next_send_goes_on(house: Path, tmp_path: Path):
    """SIGTERM to `mailer send` lets everything in flight land; the account reconciles; another send finishes it."""
    with sending(house, tmp_path / "it") as (_, server):
        publication, order = Publication(tmp_path / "it"), ("send", "2022-11", "--segment", "gads", "--yes")
        first = publication.start(*order, "--json")
        while len(server.accepted()) < 30 and first.poll() is None:
            time.sleep(0.02)
        first.send_signal(signal.SIGTERM)
        output, _ = first.communicate(timeout=120)
        counts = json.loads(output)["counts"]
        assert first.returncode == 1
        assert counts["uncertain"] == 0
        assert 0 < counts["sent"] < PEOPLE
        assert counts["sent"] + counts["pending"] == PEOPLE
        assert counts["sent"] == len(server.accepted())
        publication.configure("^rate = .*", "")  # there is nothing more to strike
        assert publication.json(*order)["counts"]["sent"] == PEOPLE
        assert set(Counter(recipient for _, recipient in server.accepted()).values()) == {1}
