"""Sending in the foreground: `mailer send` with its bar, its signals, and what it says at the end."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.campaigns.campaign import Campaign
    from mailer.deliveries.orders import Progress, Result

# By how a run ended (`deliveries.orders.Ending`): of one, of several.
_WAITS = {
    "retries left": ("delivery was put off", "deliveries were put off"),
    "paced": ("delivery waits because the rate is used up", "deliveries wait because the rate is used up"),
    "out of hours": (
        "delivery waits for the hours of [delivery] window",
        "deliveries wait for the hours of [delivery] window",
    ),
}


def carry_out(app: "App", campaign: "Campaign") -> "Result":
    """Send in the foreground; the first Ctrl-C or SIGTERM lets what is in flight land."""
    import asyncio
    import signal

    import uvloop

    from mailer import dispatch
    from mailer.cluster import following

    app.hush()
    send = following.follow if following.are_others_at_work(app) else dispatch.send

    async def work() -> "Result":
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        with _progress_bar(app, campaign) as progress:
            return await send(app, campaign, stop=stop, progress=progress)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work())


@contextmanager
def _progress_bar(app: "App", campaign: "Campaign") -> "Iterator[Callable[[Progress], None]]":
    """A bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    before = app.ledger.account(campaign.id)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=before.recipients, completed=before.closed)
        yield lambda progress: bar.update(
            task,
            completed=before.closed + progress.closed,
            description=progress.waiting and f"waiting: {progress.waiting}",
        )


def conclude(app: "App", campaign: "Campaign", result: "Result") -> None:
    """Say what is left and what to do about it; what needs a person ends with an error."""
    from mailer import dispatch
    from mailer.cluster import following
    from mailer.deliveries.orders import Ending
    from mailer.errors import OperatorError, Refused

    if result.ending is Ending.DOWN:
        raise OperatorError(
            f'campaign {campaign.id} is paused: the server said "{result.reason}"; nobody was marked for it. '
            f"Mend it, then run `mailer send {campaign.issue}`"
        )
    if result.ending is Ending.STOPPED and following.are_others_at_work(app):
        print(f"mailer: the workers go on with it; see `mailer campaigns show {campaign.id}`", file=sys.stderr)
        return
    if result.ending is Ending.STOPPED:
        raise Refused(f"stopped; `mailer send {campaign.issue}` or `mailer run` goes on where it stands")
    if result.ending in _WAITS and result.next_at:
        when = dispatch.local_time(app, result.next_at)
        waiting = result.account.pending
        why = f"{waiting} {_WAITS[result.ending][waiting > 1]}"
        print(f"mailer: {why}, until {when}; then `mailer run` goes on", file=sys.stderr)
