"""What runs for long: the service, the workers of several machines, and the list of all that send."""

from typing import Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say, table


def run(
    context: typer.Context,
    *,
    schedule_only: Annotated[
        bool, typer.Option("--schedule-only", help="Leave the sending to `mailer worker` (PostgreSQL).")
    ] = False,
) -> None:
    """Run the service: the monthly send, scheduled campaigns, retries. Stops cleanly on SIGTERM."""
    from mailer import worker

    worker.run(house(context), sends=not schedule_only)


def worker(
    context: typer.Context,
    *,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, help="How many send on this machine; else as the config says.")
    ] = None,
) -> None:
    """Send what `mailer run` deals out, on any machine with this config, its secrets and the PostgreSQL."""
    import asyncio
    import signal

    import uvloop

    from mailer.cluster import serving

    app = house(context)
    app.outgoing.orders()  # what is wrong with [delivery] is said now, not at the hour
    app.database  # noqa: B018 - looked at before threads ask for it

    async def work() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serving.work(app, stop, number=processes)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


def workers(context: typer.Context, *, json: bool = JSON) -> None:
    """Who sends, on which machine, how fast, and when each was seen last."""
    from mailer.storage.workers import Roster

    app = house(context)
    entries = Roster(app.database).entries()
    if json:
        print_json(entries)
        return
    if not entries:
        say("Nobody is sending. Start `mailer run` or `mailer worker`.")
        return
    rows = []
    for entry in entries:
        ago = f"{max(0, (app.clock.now() - entry.seen_at).total_seconds()):.0f} s ago"
        seen = f"{ago}, lost" if entry.is_lost else ago
        rows.append((entry.host, entry.pid, entry.version, entry.slices, entry.sent, f"{entry.rate:.1f}", seen))
    total = sum(entry.rate for entry in entries if not entry.is_lost)
    table(("Host", "Process", "Version", "Slices", "Sent", "Msg/s", "Last seen"), rows, figures=(1, 3, 4, 5))
    say(f"{sum(not entry.is_lost for entry in entries)} at work, {total:.1f} messages a second")
