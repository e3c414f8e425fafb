"""
How a campaign gets from an order to its end, with everything the composed application brings: the steps that the
command line and the worker have in common.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec

from mailer import crew
from mailer.app import App
from mailer.campaigns import advance
from mailer.campaigns.account import Account
from mailer.campaigns.approval import Approval, require
from mailer.campaigns.campaign import Campaign, State
from mailer.deliveries.direct import hand_over
from mailer.deliveries.orders import Ending, Progress, Result
from mailer.deliveries.transport import TransportError
from mailer.editions.edition import Compiled
from mailer.errors import MailerError, Refused
from mailer.language import words
from mailer.log import get_logger
from mailer.preflight import judge

log = get_logger()

_LATELY: Final = timedelta(seconds=30)


def prepare(app: App, issue: str) -> Compiled:
    """
    Compile an issue that may go out.

    Raises:
        Refused: Its check has errors.
        AuthorError: There is no such issue.

    """
    judged = judge(app, issue)
    errors = judged.report.errors
    if errors or judged.compiled is None:
        others = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise Refused(
            f"issue {issue} has an error at {errors[0].where}: {errors[0].message}{others}; "
            f"`mailer check {issue}` lists what to mend"
        )
    return judged.compiled


def approve(app: App, issue: str, by: str) -> Approval:
    """
    Sign an issue off as it stands now, and keep what was signed.

    Raises:
        Refused: Its check has errors.

    """
    compiled = prepare(app, issue)
    now = app.clock.now()
    approval = Approval(issue=issue, content_hash=compiled.content_hash, by=by, at=now)
    app.shelf.put(compiled, now=now)
    app.agenda.approve(approval)
    return approval


def open_campaign(
    app: App, compiled: Compiled, segments: Sequence[str], *, by: str, again: bool = False, excluded: Sequence[str] = ()
) -> Campaign:
    """
    Open a campaign of a compiled issue, its editions kept on the shelf and its rules as they stand now.

    Raises:
        Refused: It is not approved as it stands, or a segment has had the issue (see `advance.open_campaign`).
        OperatorError: A way out can't carry it.

    """
    return _opener(app, compiled, segments, by=by, again=again, excluded=excluded)()


def schedule(
    app: App,
    compiled: Compiled,
    segments: Sequence[str],
    *,
    at: datetime,
    by: str,
    again: bool = False,
    excluded: Sequence[str] = (),
) -> Campaign:
    """
    Open a campaign for an hour to come.

    Raises:
        Refused: As for `open_campaign`, or the hour is past.
        OperatorError: As for `open_campaign`.

    """
    open_it = _opener(app, compiled, segments, by=by, again=again, excluded=excluded)
    with app.agenda.alone():
        return advance.schedule(app.agenda, open_it(), at.astimezone(app.calendar.zone), who=by, now=app.clock.now())


def _opener(
    app: App, compiled: Compiled, segments: Sequence[str], *, by: str, again: bool, excluded: Sequence[str]
) -> Callable[[], Campaign]:
    """See to all that a campaign needs and that is not the agenda's; what opens it writes to the agenda alone."""
    now = app.clock.now()
    app.outgoing.check(app.samples(compiled, segments))
    app.shelf.put(compiled, now=now)
    rules = app.rules_of([*segments, *excluded])
    return partial(
        advance.open_campaign,
        app.agenda,
        compiled.issue,
        compiled.content_hash,
        segments,
        by=by,
        now=now,
        again=again,
        rules=rules,
        excluded=excluded,
    )


def begin(app: App, campaign: Campaign, *, who: str) -> Campaign:
    """Freeze the recipients of a campaign that may go out, and let it send."""
    now = app.clock.now()
    language = app.config.publication.language
    app.lay_trails(campaign)
    app.ledger.freeze(campaign.id, language=language, now=now, signed_with=app.signer.current)
    return advance.start(app.agenda, app.agenda.get(campaign.id), who=who, now=now)


def begin_scheduled(app: App, campaign: Campaign) -> Campaign:
    """
    Let a scheduled campaign send whose hour has come, if the issue still stands as it was approved.

    Otherwise it is held, and the staff is told why.
    """
    try:
        compiled = prepare(app, campaign.issue)
        require(app.agenda.approval(campaign.issue), campaign.issue, compiled.content_hash)
        if compiled.content_hash != campaign.content_hash:
            raise Refused(f"issue {campaign.issue} was edited and approved again after this campaign was scheduled")
        app.outgoing.check(app.samples(compiled, campaign.segments))
        return begin(app, campaign, who="schedule")
    except MailerError as problem:
        return hold(app, campaign, str(problem))


def hold(app: App, campaign: Campaign, reason: str) -> Campaign:
    """Hold a campaign and tell the staff why."""
    held = advance.hold(app.agenda, campaign, reason=reason, who="schedule", now=app.clock.now())
    alert_held(app, held)
    return held


def alert_held(app: App, held: Campaign) -> None:
    """Tell the staff that what should have gone out did not, and what to do."""
    translate = words(app.config.publication.language)
    titles = {name: known.title.get(translate.language, name) for name, known in app.config.segments.items()}
    who = ", ".join(titles.get(name, name) for name in held.segments)
    told = (
        translate("El número {issue} debía salir para: {who}. Se retuvo por esto:", issue=held.issue, who=who),
        held.reason,
        translate("No se escribió a nadie. Cuando esté en orden, ejecute:"),
        f"    mailer approve {held.issue} --by NAME\n    mailer send {held.issue}{_to_whom(app, held)}\n",
    )
    alert(
        app,
        subject=translate("No se envió el número {issue}", issue=held.issue),
        text="\n\n".join(told),
        occasion=f"held-{held.id}",
    )


def _to_whom(app: App, held: Campaign) -> str:
    """The options by which `mailer send` writes to those of the held campaign and to nobody else."""
    chosen = () if set(held.segments) == set(app.config.segments) else held.segments
    options = [f" --segment {name}" for name in chosen] + [f" --exclude {name}" for name in held.excluded]
    return "".join(options)


def alert(app: App, *, subject: str, text: str, occasion: str) -> None:
    """
    Write to the staff, by the first way that takes it: the one that refuses us may be what the alert is about.

    That none does is logged, and stops nothing.
    """
    subject = f"[{app.config.publication.name}] {subject}"
    try:
        letters = [
            app.notice(to, subject=subject, text=text, occasion=f"{occasion}-{number}")
            for number, to in enumerate(app.staff())
        ]
        ways = app.outgoing.alarms
    except MailerError as problem:
        log.warning("staff not alerted", action="alert-failed", occasion=occasion, why=str(problem))
        return
    for way in ways:
        try:
            asyncio.run(hand_over(letters, way))
        except TransportError as problem:
            log.warning("alert refused", action="alert-failed", occasion=occasion, transport=way.name, why=str(problem))
        else:
            log.info("staff alerted", action="alert", occasion=occasion, transport=way.name)
            return


async def send(
    app: App,
    campaign: Campaign,
    *,
    stop: asyncio.Event | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Result:
    """Send what is due of a campaign, then move it on: finished when nothing is open, paused when we are refused."""
    result = await crew.send(app, campaign, stop=stop, progress=progress)
    await conclude(app, campaign, result)
    return result


async def conclude(app: App, campaign: Campaign, result: Result) -> None:
    """Move a campaign on by how sending it ended. Of several senders that end together, one does so."""
    await asyncio.to_thread(_conclude, app, campaign.id, result)


def _conclude(app: App, campaign: int, result: Result) -> None:
    current = app.agenda.get(campaign)
    if current.state is State.SENDING:
        try:
            _move_on(app, current, result)
        except Refused:
            if app.agenda.get(campaign).state is State.SENDING:
                raise


def _move_on(app: App, current: Campaign, result: Result) -> None:
    now = app.clock.now()
    if result.ending is Ending.DONE and result.account.reconciled:
        _finish(app, current, now)
    elif result.ending is Ending.DOWN:
        advance.pause(app.agenda, current, reason=result.reason, who="mailer", now=now)
        _alert_paused(app, current, result.reason, now)


def _alert_paused(app: App, paused: Campaign, reason: str, now: datetime) -> None:
    translate = words(app.config.publication.language)
    number = paused.id
    told = (
        translate("La campaña {number} ({issue}) está en pausa. El servidor dijo:", number=number, issue=paused.issue),
        reason,
        translate("Quienes faltan siguen en espera, y nadie quedó marcado por esto. Cuando esté resuelto, ejecute:"),
        f"    mailer campaigns resume {number}\n",
    )
    alert(
        app,
        subject=translate("En pausa: el envío del número {issue}", issue=paused.issue),
        text="\n\n".join(told),
        occasion=f"paused-{number}-{int(now.timestamp())}",
    )


def _finish(app: App, current: Campaign, now: datetime) -> None:
    """Step 7, by the sums of this very moment: since they were taken something may have gone back into the queue."""
    with app.agenda.alone():
        account = app.ledger.account(current.id)
        if not account.pending:
            advance.finish(app.agenda, current, account, now=now)


class Sums(msgspec.Struct, frozen=True):
    """What programs read of a campaign (`campaigns show --json`)."""

    id: int
    issue: str
    state: str
    segments: tuple[str, ...]
    counts: dict[str, int]
    reconciled: bool
    reason: str = ""
    next_at: datetime | None = None
    outlook: str = ""
    feedback: dict[str, int] = {}
    rate: float = 0.0
    done_at: datetime | None = None
    begun_at: datetime | None = None
    finished_at: datetime | None = None


def sums(app: App, campaign: Campaign) -> Sums:
    """A campaign with its account, from one read, and when it goes on if it waits."""
    account = app.ledger.account(campaign.id)
    next_at, words = outlook(app, campaign, account)
    rate, done_at = speed(app, campaign, account)
    return Sums(
        id=campaign.id,
        issue=campaign.issue,
        state=str(campaign.state),
        segments=campaign.segments,
        counts=msgspec.structs.asdict(account),
        reconciled=account.reconciled,
        reason=campaign.reason,
        next_at=next_at,
        outlook=words,
        feedback=app.ledger.feedback(campaign.id),
        rate=rate,
        done_at=done_at,
        begun_at=campaign.frozen_at,
        finished_at=campaign.finished_at,
    )


def speed(app: App, campaign: Campaign, account: Account) -> tuple[float, datetime | None]:
    """How many messages a second all senders together sent of a campaign lately, and when it is done at that rate."""
    if campaign.state is not State.SENDING:
        return 0.0, None
    now = app.clock.now()
    span = max(timedelta(seconds=1), min(_LATELY, now - (campaign.frozen_at or campaign.created_at)))
    rate = app.ledger.sent_since(campaign.id, now - span) / span.total_seconds()
    is_waiting = outlook(app, campaign, account)[0] is not None
    if not rate or not account.pending or is_waiting:
        return round(rate, 2), None
    return round(rate, 2), now + timedelta(seconds=account.pending / rate)


def outlook(app: App, campaign: Campaign, account: Account) -> tuple[datetime | None, str]:
    """When a campaign goes out or on, and what it waits for; neither, if it doesn't wait."""
    if campaign.state is State.SCHEDULED and campaign.scheduled_at:
        goes_at = campaign.scheduled_at
        return goes_at, f"goes out at {local_time(app, goes_at)}, if `mailer run` is running"
    if campaign.state is not State.SENDING or not account.pending:
        return None, ""
    now = app.clock.now()
    due_at = app.ledger.next_due(campaign.id)
    opens_at = app.outgoing.window.opens(max(now, due_at or now)) if app.outgoing.window else None
    if opens_at is not None and app.outgoing.window is not None and not app.outgoing.window.is_open(now):
        return opens_at, f"outside its hours ({app.config.delivery.window}); it goes on at {local_time(app, opens_at)}"
    if due_at is not None and due_at > now:
        one = account.pending == 1
        return (
            due_at,
            f"{account.pending} {'is' if one else 'are'} to be tried again, next at {local_time(app, due_at)}",
        )
    return None, ""


def local_time(app: App, at: datetime) -> str:
    """An instant as the office reads it, in the publication's time zone."""
    return f"{at.astimezone(app.calendar.zone):%Y-%m-%d %H:%M}"
