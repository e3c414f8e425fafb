"""
Several processes that send one campaign, each claiming its own batches from the same ledger.

A member of the crew (`child`) says how far it is by lines of JSON on its output.
"""

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import msgspec

from mailer import child, config
from mailer.app import App
from mailer.campaigns.campaign import Campaign
from mailer.deliveries.ledger import LeaseLost
from mailer.deliveries.orders import Ending, Progress, Result
from mailer.errors import MailerError, OperatorError
from mailer.log import get_logger

log = get_logger()

Tell = Callable[[Progress], None]
_TELLS_A_SECOND: Final = 5
# Whoever dies so often without having sent anything would do so for ever.
_DEATHS: Final = 3
_WEIGHTIEST: Final = (Ending.DOWN, Ending.OUT_OF_HOURS, Ending.STOPPED, Ending.PACED, Ending.RETRIES_LEFT, Ending.DONE)


class Task(msgspec.Struct, frozen=True):
    """What a member is to do. It gets the config itself, not its file: that may be edited while a campaign is sent."""

    config: config.Config
    path: str
    campaign: int
    number: int
    processes: int
    hushed: bool = False


class Word(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of a member: how far it is, and at the end how it ended or what went wrong."""

    progress: Progress
    ending: Ending | None = None
    next_at: datetime | None = None
    reason: str = ""
    trouble: str = ""


async def send(app: App, campaign: Campaign, *, stop: asyncio.Event | None = None, progress: Tell) -> Result:
    """
    Send what is due of a campaign, with as many processes as the config asks for.

    Raises:
        OperatorError: A member can't go on; the others have landed.

    """
    if app.outgoing.processes == 1:
        return await app.send(campaign, stop=stop, progress=progress)
    return await Crew(app, campaign, stop or asyncio.Event(), progress).send()


class Crew:
    """The members at work on one campaign, as their captain sees them."""

    def __init__(self, app: App, campaign: Campaign, stop: asyncio.Event, progress: Tell) -> None:
        self._app = app
        self._campaign = campaign
        self._stop = stop
        self._landing = asyncio.Event()  # somebody has to stop, so all do
        self._tell = progress
        self._said: dict[int, Progress] = {}
        self._before = Progress()

    async def send(self) -> Result:
        """All members, until each has come to its end; then the account of all."""
        number = self._app.outgoing.processes
        relay = asyncio.create_task(self._relay_stop())
        try:
            words = await asyncio.gather(*(self._member(each) for each in range(number)), return_exceptions=True)
        finally:
            relay.cancel()
        for word in words:
            if isinstance(word, BaseException):
                raise word
        return await asyncio.to_thread(self._result, [word for word in words if isinstance(word, Word)])

    async def _relay_stop(self) -> None:
        await self._stop.wait()
        self._landing.set()

    async def _member(self, number: int) -> Word:
        """One place in the crew: whoever dies in it is replaced, and its run recovered by who comes next."""
        deaths = 0
        while deaths < _DEATHS:
            word, status = await self._sail(number)
            if word.trouble:
                raise OperatorError(word.trouble)
            if word.ending is not None:
                return word
            deaths = 1 if word.progress.closed else deaths + 1
            log.warning("a sender died", action="sender-died", campaign=self._campaign.id, status=status)
            self._recount(number, f"a sender died ({status}), another takes its place")
        self._landing.set()
        raise OperatorError(
            f"the senders of campaign {self._campaign.id} die one after the other ({status}); see what the log says "
            f"above, then run `mailer send {self._campaign.issue}` again"
        )

    async def _sail(self, number: int) -> tuple[Word, str]:
        """Start a member and listen to it; its last word, and how its process ended."""
        word = Word(Progress())
        app = self._app
        task = Task(app.config, str(app.loaded.path), self._campaign.id, number, app.outgoing.processes, app.is_hushed)
        member = await child.start(__name__, task, app.loaded.environ, speaks=True)
        assert member.stdin is not None and member.stdout is not None  # noqa: PT018 - pipes were asked for
        closing = asyncio.create_task(self._close_when_landing(member.stdin))
        try:
            async for line in member.stdout:
                word = msgspec.json.decode(line, type=Word)
                self._heard(number, word)
        finally:
            closing.cancel()
            member.stdin.close()
            status = await member.wait()
        return word, signal.Signals(-status).name if status < 0 else f"status {status}"

    async def _close_when_landing(self, stdin: asyncio.StreamWriter) -> None:
        await self._landing.wait()
        stdin.close()

    def _heard(self, number: int, word: Word) -> None:
        self._said[number] = word.progress
        if word.trouble or word.ending in {Ending.DOWN, Ending.STOPPED}:
            self._landing.set()
        self._tell(self._sum(next((each.waiting for each in self._said.values() if each.waiting), "")))

    def _recount(self, number: int, waiting: str) -> None:
        """What the dead one had done stays done."""
        done = self._said.pop(number, Progress())
        self._before = Progress(self._before.closed + done.closed, self._before.sent + done.sent)
        self._tell(self._sum(waiting))

    def _sum(self, waiting: str) -> Progress:
        all_of_them = [self._before, *self._said.values()]
        return Progress(sum(each.closed for each in all_of_them), sum(each.sent for each in all_of_them), waiting)

    def _result(self, words: list[Word]) -> Result:
        account = self._app.ledger.account(self._campaign.id)
        weightiest = min(words, key=lambda word: _WEIGHTIEST.index(word.ending or Ending.DONE))
        ending = weightiest.ending or Ending.DONE
        if ending is Ending.DONE and account.pending:
            ending = Ending.RETRIES_LEFT
        if ending is not Ending.DOWN and not account.pending:
            return Result(Ending.DONE, account)
        next_at = weightiest.next_at or self._app.ledger.next_due(self._campaign.id)
        return Result(ending, account, next_at, weightiest.reason)


class Member:
    """The other end: one process that sends its share."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._app = App(config.Loaded.handed(task.config, task.path), tables_are_current=True)
        if task.hushed:
            self._app.hush()
        self._progress = Progress()
        self._told_at = 0.0

    async def send(self) -> Word:
        """Send until nothing is due, or until told to stop."""
        stop = await child.stopping()
        orders = self._app.outgoing.orders(number=self._task.number, processes=self._task.processes)
        try:
            campaign = await asyncio.to_thread(self._app.agenda.get, self._task.campaign)
            result = await self._app.send(campaign, stop=stop, progress=self._tell, orders=orders)
        except LeaseLost:
            return Word(self._progress)  # as of one that died: another takes its place, under a lease of its own
        except MailerError as problem:
            return Word(self._progress, trouble=str(problem))
        return Word(self._progress, ending=result.ending, next_at=result.next_at, reason=result.reason)

    def _tell(self, progress: Progress) -> None:
        self._progress = progress
        now = self._app.clock.monotonic()
        if now - self._told_at > 1 / _TELLS_A_SECOND:
            self._told_at = now
            _say(Word(progress))


def _say(word: Word) -> None:
    with suppress(BrokenPipeError):  # nobody listens any more: the input will be closed too
        sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
        sys.stdout.buffer.flush()


def main() -> Any:
    """Send one share of a campaign, as standard input says."""
    import uvloop

    member = Member(child.told(Task))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        _say(runner.run(member.send()))


if __name__ == "__main__":
    main()
