"""The service: the monthly send fires once, or is held and told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from mailer import config, dispatch
from mailer.app import App
from mailer.campaigns.account import Account
from mailer.campaigns.campaign import State
from mailer.deliveries.orders import Ending, Result
from mailer.testing.clock import FrozenClock
from mailer.worker import Rest, Worker, fire
from tests.publication import ROOT, Publication

DUE = datetime(2022, 11, 30, 14, tzinfo=UTC)


@pytest.fixture
def publication(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Publication:
    """A publication with a short issue, and the sample's partners imported: once on SQLite, once on PostgreSQL."""
    monkeypatch.setenv("MAILER_SECRET", "a secret of the tests, long enough")
    made = Publication.small(tmp_path)
    made.configure(r"^url = .*", f'url = "{database_url}"')
    made.run("subscribers", "import", str(ROOT / "subscribers/partners.csv"), "--segment", "partners")
    return made


@pytest.fixture
def app(publication: Publication) -> Iterator[App]:
    """The application on the hour of the November send."""
    made = App(config.load(publication.config), FrozenClock(DUE))
    yield made
    made.close()


async def drained(worker: Worker) -> None:
    await worker.look()  # starts what is scheduled
    await worker.look()  # sends what is sending
    for task in list(worker.carrier.sending.values()):
        await task


async def test_the_monthly_send_goes_out_once(app: App, publication: Publication):
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
    assert account.sent == len(publication.letters()) > 30


async def test_the_monthly_send_waits_for_a_database_that_is_away(app: App):
    """What could not be fired on the hour is fired by the first look that finds the database again."""
    dispatch.approve(app, "2022-11", "Dirección")
    with app.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE fires RENAME TO fires_away")
    worker = Worker(app)
    await worker.fire_latest()
    await worker.look()
    assert app.agenda.campaigns() == []
    with app.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE fires_away RENAME TO fires")
    await drained(worker)
    (campaign,) = app.agenda.campaigns()
    assert campaign.state is State.FINISHED


def test_an_unapproved_issue_is_held_and_the_staff_told(app: App, publication: Publication):
    """Nobody is written to but the staff, with the reason."""
    held = fire(app, DUE)
    assert held is not None
    assert held.state is State.HELD
    assert "not approved" in held.reason
    assert len(publication.letters()) == 2
    assert fire(app, DUE) is None


def test_a_missing_issue_is_held(app: App, publication: Publication):
    """A month without an issue is told, not passed over."""
    app.clock.set(datetime(2022, 12, 30, 14, tzinfo=UTC))
    held = fire(app, app.calendar.latest(app.clock.now()))
    assert held is not None
    assert (held.issue, held.state) == ("2022-12", State.HELD)


def test_a_late_start_holds(app: App, publication: Publication):
    """Past the grace an approved issue is held and the staff told; within it, it goes."""
    dispatch.approve(app, "2022-11", "Dirección")
    app.clock.advance(hours=6, minutes=1)
    held = fire(app, DUE)
    assert held is not None
    assert "late" in held.reason
    assert len(publication.letters()) == 2


def test_a_start_within_the_grace_goes(app: App):
    """A server that comes back in time sends."""
    dispatch.approve(app, "2022-11", "Dirección")
    app.clock.advance(hours=5)
    fired = fire(app, DUE)
    assert fired is not None
    assert fired.state is State.SCHEDULED


async def test_an_edit_after_scheduling_holds(app: App, publication: Publication):
    """What was edited after it was scheduled isn't sent; the staff is told why, in Spanish, and whom to send it to."""
    dispatch.approve(app, "2022-11", "Dirección")
    planned = dispatch.schedule(
        app, dispatch.prepare(app, "2022-11"), ["partners"], at=DUE + timedelta(hours=1), by="x"
    )
    text = publication.folder / "issues/2022-11/issue.md"
    text.write_text(text.read_text().replace("reunió", "encontró", 1))
    app.clock.advance(hours=1)
    await Worker(app).look()
    held = app.agenda.get(planned.id)
    assert held.state is State.HELD
    assert "edited" in held.reason
    alert = message_from_bytes(publication.letters()[0].read_bytes(), policy=policy.default)
    assert alert["Subject"] == "[Brief Internacional] No se envió el número 2022-11"
    assert "para: Redes y aliados. Se retuvo por esto:" in alert.get_content()
    assert "    mailer send 2022-11 --segment partners" in alert.get_content().splitlines()


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


@pytest.mark.parametrize("before", [-timedelta(hours=1), timedelta(days=400)], ids=["behind", "ahead"])
async def test_a_clock_that_is_set_misses_no_hour(app: App, before: timedelta):
    """Set over the hour, or back from far behind it, the clock of a running service brings the send about, once."""
    dispatch.approve(app, "2022-11", "Dirección")
    worker = Worker(app)
    for at in (DUE + before, DUE - timedelta(minutes=1), DUE + timedelta(minutes=1), DUE - timedelta(hours=2), DUE):
        app.clock.set(at)
        await drained(worker)
    assert [(campaign.issue, campaign.state) for campaign in app.agenda.campaigns()] == [("2022-11", State.FINISHED)]


def test_a_pause_ends_when_the_clock_is_set_back():
    """What was left alone until an hour by a wrong clock is looked at by the right one."""
    rest = Rest(DUE, DUE + timedelta(seconds=10))
    assert [rest.lasts(DUE + timedelta(seconds=each)) for each in (-1, 0, 9, 10)] == [False, True, True, False]


async def test_it_is_finished_by_the_sums_of_that_moment(app: App):
    """What went back into the queue since a sender took its sums keeps the campaign open."""
    dispatch.approve(app, "2022-11", "Dirección")
    sending = dispatch.begin_scheduled(app, fire(app, DUE))
    taken = app.ledger.account(sending.id)
    done = Account(recipients=taken.recipients, sent=taken.recipients)
    await dispatch.conclude(app, sending, Result(Ending.DONE, done))
    assert app.agenda.get(sending.id).state is State.SENDING
