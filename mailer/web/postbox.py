"""Posts the letters that the pages owe, in the background and over the publication's own transport."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from starlette.concurrency import run_in_threadpool

from mailer.deliveries.transport import Channel, Deferred, RecipientRefused, TransportError
from mailer.errors import MailerError
from mailer.log import get_logger
from mailer.storage.notices import Notice
from mailer.web import letters
from mailer.web.desk import Desk

_LOOK_EVERY: Final = 1.0  # seconds
_TIDY_EVERY: Final = 3600.0
log = get_logger("mailer.web")


async def _already_durable() -> None:
    """A notice stands in its book before it is posted: nothing to add, and a second copy of one harms nobody."""


class Postbox:
    """Looks for letters that are due and hands them over, one channel a round."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Post in the background for as long as the block lasts."""
        task = asyncio.create_task(self._keep_posting())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep_posting(self) -> None:
        tidied = -_TIDY_EVERY
        while True:
            try:
                await self.post()
                if self.desk.clock.monotonic() - tidied >= _TIDY_EVERY:
                    await run_in_threadpool(self.desk.signups.tidy)
                    tidied = self.desk.clock.monotonic()
            except (MailerError, OSError) as problem:
                log.warning("letters wait", action="post", problem=str(problem))
            except Exception:  # whatever it was, the next letter mustn't wait for a restart
                log.exception("letters wait", action="post")
            await asyncio.sleep(_LOOK_EVERY)

    async def post(self) -> None:
        """Post what is due now; what the other side doesn't take yet is put off."""
        due = await run_in_threadpool(self.desk.notices.due)
        if not due:
            return
        try:
            channel = await self.desk.transport.open()
        except TransportError as problem:
            log.warning("letters wait", action="post", problem=problem.reply)
            await self._put_off(due)
            return
        try:
            for index, notice in enumerate(due):
                if not await self._hand_over(channel, notice):
                    await self._put_off(due[index:])
                    return
        finally:
            await channel.close()

    async def _hand_over(self, channel: Channel, notice: Notice) -> bool:
        """Whether the channel lives on."""
        try:
            await channel.transmit(await run_in_threadpool(letters.write, self.desk, notice), _already_durable)
        except ValueError as problem:
            log.warning("letter unwritable", action="post", notice=notice.id, problem=type(problem).__name__)
        except RecipientRefused as problem:
            log.info("letter refused", action="post", notice=notice.id, code=problem.code)
        except Deferred:
            await run_in_threadpool(self.desk.notices.put_off, notice)
            return True
        except TransportError as problem:
            log.warning("letters wait", action="post", problem=problem.reply)
            return False
        await run_in_threadpool(self.desk.notices.done, notice)
        return True

    async def _put_off(self, due: list[Notice]) -> None:
        for notice in due:
            await run_in_threadpool(self.desk.notices.put_off, notice)
