"""The long-running service behind `mailer run`: the scheduler fires, campaigns are sent, signals stop it cleanly."""

import asyncio
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import msgspec
from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from mailer import dispatch
from mailer.app import App
from mailer.campaigns import advance
from mailer.campaigns.calendar import Calendar
from mailer.campaigns.campaign import Campaign, State
from mailer.deliveries.orders import Ending
from mailer.errors import MailerError, OperatorError
from mailer.log import get_logger

log = get_logger()

SCHEDULE: Final = "monthly"
_LOOK: Final = 1.0
# Another process may be sending what is pending and not due: how long until it is looked at again.
_LATER: Final = timedelta(seconds=10)
_DAILY: Final = timedelta(days=1)


class _Stopping(Exception):
    """The service is being stopped: what reads on lets go."""


class MonthlyTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """APScheduler's trigger over our calendar."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next instant of the calendar."""
        return self._calendar.after(previous_fire_time or now)


class Rest(msgspec.Struct, frozen=True):
    """A while in which a campaign is left alone."""

    begun_at: datetime
    until: datetime

    def lasts(self, now: datetime) -> bool:
        """Whether it isn't over; when the clock was set back behind its beginning, it is."""
        return self.begun_at <= now < self.until


class Carrier(Protocol):
    """What becomes of a campaign that is sending, whenever the service looks at it."""

    async def carry(self, campaign: Campaign) -> None:
        """See that what is due of it is sent, by whomever; returns at once."""
        ...

    async def close(self) -> None:
        """Let what is in flight land."""
        ...


class Here:
    """Sends in this process, and in those that it starts (see `crew`)."""

    def __init__(self, app: App) -> None:
        self.sending: dict[int, asyncio.Task[None]] = {}
        self._app = app
        self._stop = asyncio.Event()
        self._rests: dict[int, Rest] = {}

    async def carry(self, campaign: Campaign) -> None:
        """Send it in a task of its own, if something is due."""
        if campaign.id in self.sending:
            return
        now = self._app.clock.now()
        due_at = await asyncio.to_thread(self._app.ledger.next_due, campaign.id)
        rests = (rest := self._rests.get(campaign.id)) is not None and rest.lasts(now)
        if not rests and (due_at is None or due_at <= now):
            task = asyncio.create_task(self._send(campaign))
            self.sending[campaign.id] = task
            task.add_done_callback(lambda _: self.sending.pop(campaign.id))

    async def close(self) -> None:
        """Claim no more; what is in flight lands."""
        self._stop.set()
        await asyncio.gather(*self.sending.values(), return_exceptions=True)

    async def _send(self, campaign: Campaign) -> None:
        try:
            result = await dispatch.send(self._app, campaign, stop=self._stop)
            if result.ending in {Ending.PACED, Ending.OUT_OF_HOURS} and result.next_at:
                self._rest(campaign, until=result.next_at)
            elif result.next_at is None:
                self._rest(campaign)
            log.info("campaign sent", action="sent", campaign=campaign.id, ending=str(result.ending))
        except MailerError as problem:
            self._rest(campaign)
            log.warning("campaign failed", action="send-failed", campaign=campaign.id, why=str(problem))
        except Exception:  # one campaign's trouble must not end the service
            self._rest(campaign)
            log.exception("campaign failed", action="send-failed", campaign=campaign.id)

    def _rest(self, campaign: Campaign, *, until: datetime | None = None) -> None:
        now = self._app.clock.now()
        self._rests[campaign.id] = Rest(now, until or now + _LATER)


class Worker:
    """Fires the monthly send, starts what is scheduled, sees that what is sending is carried on."""

    def __init__(self, app: App, carrier: Carrier | None = None) -> None:
        self._app = app
        self._stop = asyncio.Event()
        self._fired: datetime | None = None
        self._timed: list[tuple[Job, timedelta]] = []
        self.carrier: Carrier = carrier or Here(app)

    async def run(self) -> None:
        """Work until told to stop; then let what is in flight land."""
        scheduler = AsyncIOScheduler(timezone=UTC)
        # Whether a fire is too late is for `fire` to say, so APScheduler may never drop one.
        scheduler.add_job(
            self.fire_latest,
            MonthlyTrigger(self._app.calendar),
            coalesce=True,
            misfire_grace_time=None,
            max_instances=1,
        )
        self._add_feedback_jobs(scheduler)
        scheduler.start()
        log.info(
            "worker started", action="worker-started", next_fire=str(self._app.calendar.after(self._app.clock.now()))
        )
        try:
            while not self._stop.is_set():
                await self.look()
                self._mind_the_clock()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), _LOOK)
        finally:
            scheduler.shutdown(wait=False)
            self._stop.set()
            await self.carrier.close()
            log.info("worker stopped", action="worker-stopped")

    def stop(self) -> None:
        """Ask it to stop: no more is claimed, what is in flight lands."""
        self._stop.set()

    async def fire_latest(self) -> None:
        """
        Let the last instant of the schedule have fired.

        A timer sees neither that the clock was set or the machine asleep, nor that the database was away at the hour:
        so each look asks again, and nothing is done for an instant that is dealt with.
        """
        at = self._app.calendar.latest(self._app.clock.now())
        if at == self._fired:
            return
        try:
            await asyncio.to_thread(fire, self._app, at)
            self._fired = at
        except MailerError as problem:
            log.warning("the monthly send can't be fired yet", action="fire-failed", at=str(at), why=str(problem))
        except Exception:  # what can't be fired must not keep from going on what is being sent
            log.exception("the monthly send can't be fired yet", action="fire-failed", at=str(at))

    def _mind_the_clock(self) -> None:
        """Let run what waits for longer than it ever should: it was timed by a clock that was ahead."""
        now = self._app.clock.now()
        for job, every in self._timed:
            if job.next_run_time and job.next_run_time - now > every:
                job.modify(next_run_time=now)

    def _add_feedback_jobs(self, scheduler: AsyncIOScheduler) -> None:
        """Take in what comes back by mail, and drop raw mail that has come of age: at once, then on a timer."""
        mailroom = self._app.mailroom
        jobs = [(self.drop_evidence, _DAILY)]
        if mailroom.has_mailbox:
            jobs.append((self.collect, mailroom.collect_every))
        for work, every in jobs:
            job = scheduler.add_job(
                work,
                "interval",
                seconds=max(every.total_seconds(), 1),
                next_run_time=self._app.clock.now(),
                coalesce=True,
                misfire_grace_time=None,
                max_instances=1,
            )
            self._timed.append((job, max(every, timedelta(seconds=1))))

    def collect(self) -> None:
        """Empty the bounce mailbox; trouble with it is logged and mended by the next look."""
        try:
            outcomes = self._app.mailroom.collect_mail(self._may_go_on)
        except _Stopping:
            return  # what was recorded last is still unread there, and counts once when it comes again
        except MailerError as problem:
            log.warning("the mailbox can't be collected", action="collect-failed", why=str(problem))
            return
        if outcomes:
            log.info("mail collected", action="collected", **outcomes)

    def _may_go_on(self, _: int) -> None:
        if self._stop.is_set():
            raise _Stopping

    def drop_evidence(self) -> None:
        """Drop raw mail that has come of age."""
        try:
            dropped = self._app.mailroom.drop_old_evidence()
        except MailerError as problem:
            log.warning("old evidence can't be dropped", action="drop-failed", why=str(problem))
            return
        if dropped:
            log.info("old evidence dropped", action="evidence-dropped", number=dropped)

    async def look(self) -> None:
        """One look: fire what has come round, start what is due, and send what is sending."""
        await self.fire_latest()
        try:
            campaigns = await asyncio.to_thread(self._app.agenda.campaigns)
            for campaign in campaigns:
                if campaign.state is State.SCHEDULED and campaign.scheduled_at is not None:
                    await asyncio.to_thread(start_if_due, self._app, campaign)
                elif campaign.state is State.SENDING:
                    await self.carrier.carry(campaign)
        except MailerError as problem:
            log.warning("the agenda can't be read", action="look-failed", why=str(problem))


def fire(app: App, at: datetime) -> Campaign | None:
    """
    Let the monthly send of the instant `at` happen, once, whoever asks and however often.

    Its campaign is scheduled for `at`; too late, or for an issue that may not go out, it is held and the staff told.
    """
    now = app.clock.now()
    issue = app.calendar.month_of(at)
    if at in set(app.agenda.fires(SCHEDULE)):
        return None
    reason, content_hash = _judge(app, issue, at, now)
    with app.agenda.alone():
        if not app.agenda.fire(SCHEDULE, at, now=now):
            return None
        segments = _owed(app, issue)
        if not segments or _is_before_our_time(app, issue, at, now):
            return None
        if not reason:
            try:
                return _schedule(app, issue, content_hash, segments, at=at)
            except MailerError as problem:
                reason = str(problem)
        held = advance.hold_fire(app.agenda, issue, segments, reason=reason, now=now)
    dispatch.alert_held(app, held)
    return held


def _owed(app: App, issue: str) -> list[str]:
    """The segments that have not had the issue, and are not about to by a person's order."""
    held = {name for each in app.agenda.campaigns(issue) if each.holds_its_segments for name in each.segments}
    return [name for name in app.config.segments if name not in held]


def _schedule(app: App, issue: str, content_hash: str, segments: list[str], *, at: datetime) -> Campaign:
    now = app.clock.now()
    rules = app.rules_of(segments)
    opened = advance.open_campaign(app.agenda, issue, content_hash, segments, by=SCHEDULE, now=now, rules=rules)
    return advance.schedule(app.agenda, opened, at, who=SCHEDULE, now=now, grace=app.late_grace)


def _judge(app: App, issue: str, at: datetime, now: datetime) -> tuple[str, str]:
    """Why the issue can't go out, or nothing; and the hash of what would."""
    if now - at > app.late_grace:
        return _too_late(app, at, now), ""
    try:
        compiled = dispatch.prepare(app, issue)
    except MailerError as problem:
        return str(problem), ""
    app.shelf.put(compiled, now=now)
    return "", compiled.content_hash


def _too_late(app: App, at: datetime, now: datetime) -> str:
    local = at.astimezone(app.calendar.zone)
    return (
        f"it was due on {local:%Y-%m-%d at %H:%M} and is {(now - at).total_seconds() / 3600:.1f} hours late; "
        f"[schedule] late_grace allows {app.config.schedule.late_grace}"
    )


def _is_before_our_time(app: App, issue: str, at: datetime, now: datetime) -> bool:
    """Whether the fire was due before this house was in use: long past, and nobody wrote that month's issue."""
    folder = app.loaded.resolve(app.config.content.issues) / issue
    return (
        now - at > app.late_grace
        and not folder.exists()
        and not any(fired < at for fired in app.agenda.fires(SCHEDULE))
    )


def start_if_due(app: App, campaign: Campaign) -> None:
    """Start a scheduled campaign whose hour has come; past its grace, hold it and say so."""
    now = app.clock.now()
    if campaign.scheduled_at is None or campaign.scheduled_at > now:
        return
    if now - campaign.scheduled_at > app.late_grace:
        dispatch.hold(app, campaign, _too_late(app, campaign.scheduled_at, now))
    else:
        dispatch.begin_scheduled(app, campaign)


async def serve(app: App, *, sends: bool = True) -> None:
    """Run the service until SIGTERM or SIGINT. On PostgreSQL it is one of several, and may leave sending to them."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if app.database.is_sqlite:
        await _until(stop, Worker(app))
        return
    from mailer.cluster import serving  # heavy, and SQLite does without

    await serving.serve(app, stop, lambda carrier: Worker(app, carrier), sends=sends)


async def _until(stop: asyncio.Event, worker: Worker) -> None:
    work = asyncio.create_task(worker.run())
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    worker.stop()
    await work


def run(app: App, *, sends: bool = True) -> Any:
    """
    Run the service on the fastest loop there is.

    Raises:
        OperatorError: Nobody else could send: the database is SQLite's.

    """
    import uvloop

    if not sends and app.database.is_sqlite:
        raise OperatorError("--schedule-only is for PostgreSQL, where `mailer worker` sends; leave it out")

    app.outgoing.orders()  # what is wrong with [delivery] is said now, not at the hour
    app.database  # noqa: B018 - migrations first, before threads ask for it
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(app, sends=sends))
