"""The service: the monthly send fires once, or is held and told."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailer import config, dispatch
from mailer.app import App
from mailer.campaigns.campaign import State
from mailer.cli.commands import run
from mailer.testing.clock import FrozenClock
from mailer.worker import Worker, fire

ROOT = Path(__file__).parent.parent
SHORT = """---
title: Brief de noviembre
month: 2022-11
number: 1
subject: Brief Internacional, noviembre
preheader: Lo que Quito hizo en el mundo este mes
---

## Noticias

### Una asamblea

La asamblea se reunió en Quito.
"""
DUE = datetime(2022, 11, 30, 14, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sample publication with a short issue, and its partners imported."""
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    shutil.copy(ROOT / "config.toml", tmp_path)
    (tmp_path / "issues/2022-11").mkdir(parents=True)
    (tmp_path / "issues/2022-11/issue.md").write_text(SHORT, encoding="utf-8")
    assert (
        run(
            [
                "--config",
                str(tmp_path / "config.toml"),
                "subscribers",
                "import",
                str(ROOT / "subscribers/partners.csv"),
                "--segment",
                "partners",
            ]
        )
        == 0
    )
    return tmp_path


@pytest.fixture
def app(folder: Path) -> Iterator[App]:
    """The application on the hour of the November send."""
    made = App(config.load(folder / "config.toml"), FrozenClock(DUE))
    yield made
    made.close()


def letters(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted((folder / "var/outbox").glob("**/*.eml"))]


async def drained(worker: Worker) -> None:
    await worker.look()  # starts what is scheduled
    await worker.look()  # sends what is sending
    for task in list(worker.carrier.sending.values()):
        await task


async def test_the_monthly_send_goes_out_once(app: App, folder: Path):
    """On the hour the approved issue of the month is sent to everybody; a second fire of that instant does nothing."""
    dispatch.approve(app, "2022-11", "Dirección")
    first = fire(app, DUE)
    assert first is not None
    assert first.state is State.SCHEDULED
    assert fire(app, DUE) is None
    await drained(Worker(app))
    assert app.agenda.get(first.id).state is State.FINISHED
    account = app.ledger.account(first.id)
    assert account.reconciled
    assert account.sent == len(letters(folder)) > 30


def test_an_unapproved_issue_is_held_and_the_staff_told(app: App, folder: Path):
    """Nobody is written to but the staff, with the reason."""
    held = fire(app, DUE)
    assert held is not None
    assert held.state is State.HELD
    assert "not approved" in held.reason
    assert len(letters(folder)) == 2
    assert fire(app, DUE) is None


def test_a_missing_issue_is_held(app: App, folder: Path):
    """A month without an issue is told, not passed over."""
    app.clock.set(datetime(2022, 12, 30, 14, tzinfo=UTC))
    held = fire(app, app.calendar.latest(app.clock.now()))
    assert held is not None
    assert (held.issue, held.state) == ("2022-12", State.HELD)


def test_a_late_start_holds(app: App, folder: Path):
    """Past the grace an approved issue is held and the staff told; within it, it goes."""
    dispatch.approve(app, "2022-11", "Dirección")
    app.clock.advance(hours=6, minutes=1)
    held = fire(app, DUE)
    assert held is not None
    assert "late" in held.reason
    assert len(letters(folder)) == 2


def test_a_start_within_the_grace_goes(app: App):
    """A server that comes back in time sends."""
    dispatch.approve(app, "2022-11", "Dirección")
    app.clock.advance(hours=5)
    fired = fire(app, DUE)
    assert fired is not None
    assert fired.state is State.SCHEDULED


async def test_an_edit_after_scheduling_holds(app: App, folder: Path):
    """What was edited after it was scheduled isn't sent."""
    dispatch.approve(app, "2022-11", "Dirección")
    planned = dispatch.schedule(
        app, dispatch.prepare(app, "2022-11"), ["partners"], at=DUE + timedelta(hours=1), by="x"
    )
    text = folder / "issues/2022-11/issue.md"
    text.write_text(text.read_text().replace("reunió", "encontró", 1))
    app.clock.advance(hours=1)
    await Worker(app).look()
    held = app.agenda.get(planned.id)
    assert held.state is State.HELD
    assert "edited" in held.reason


async def test_a_scheduled_campaign_waits_for_its_hour(app: App):
    """A campaign that is scheduled starts at its hour, not before."""
    dispatch.approve(app, "2022-11", "Dirección")
    planned = dispatch.schedule(
        app, dispatch.prepare(app, "2022-11"), ["partners"], at=DUE + timedelta(hours=1), by="x"
    )
    worker = Worker(app)
    await drained(worker)
    assert app.agenda.get(planned.id).state is State.SCHEDULED
    app.clock.advance(hours=1)
    await drained(worker)
    assert app.agenda.get(planned.id).state is State.FINISHED


def test_a_fire_before_the_house_was_in_use_is_passed_over(app: App):
    """A new installation holds nothing for the months before it."""
    app.clock.set(datetime(2026, 7, 10, 14, tzinfo=UTC))
    assert fire(app, app.calendar.latest(app.clock.now())) is None
    assert app.agenda.campaigns() == []
