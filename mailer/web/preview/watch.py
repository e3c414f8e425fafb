"""Watches an issue's files and tells every open page when one changes, and when the check has an answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from starlette.concurrency import run_in_threadpool

from mailer.editions.checks.placing import Placed
from mailer.errors import MailerError
from mailer.web.preview.studio import Studio

EVERY: Final = 0.05
# Long enough for the page to ask for its edition first: what is looked at goes before what is read.
REST: Final = 0.4
HEARTBEAT: Final = 15.0


class Verdict(msgspec.Struct, frozen=True):
    """What the check said last; `problem` is set if it could not be asked."""

    errors: int = 0
    warnings: int = 0
    findings: tuple[Placed, ...] = ()
    waived: int = 0
    languages: tuple[str, ...] = ()
    problem: str = ""


class Watch:
    """`saved` counts the changes, `checked` the one that the verdict is about."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.saved = 1
        self.checked = 0
        self.verdict = Verdict()
        self._changed = asyncio.Condition()

    async def run(self) -> None:
        """Watch until cancelled."""
        signature = await run_in_threadpool(self.studio.signature)
        judging = asyncio.create_task(self._judge())
        try:
            while True:
                await asyncio.sleep(EVERY)
                now = await run_in_threadpool(self.studio.signature)
                if now != signature:
                    signature = now
                    self.saved += 1
                    await self._tell()
                if judging.done() and self.checked != self.saved:
                    judging = asyncio.create_task(self._judge())
        finally:
            judging.cancel()

    async def _judge(self) -> None:
        await asyncio.sleep(REST)
        about = self.saved
        try:
            judged, findings = await run_in_threadpool(self.studio.judged)
            self.verdict = Verdict(
                errors=len(judged.report.errors),
                warnings=len(judged.report.warnings),
                findings=tuple(findings),
                waived=sum(each.count for each in judged.report.waived),
                languages=tuple(issue.language for issue in judged.issues),
            )
        except MailerError as problem:
            self.verdict = Verdict(problem=str(problem))
        self.checked = about
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events: the two counts, now and whenever one of them moves."""
        told = (0, 0)
        while True:
            now = (self.saved, self.checked)
            if now != told:
                told = now
                yield f'data: {{"saved": {now[0]}, "checked": {now[1]}}}\n\n'
                continue
            try:
                async with self._changed:
                    await asyncio.wait_for(self._changed.wait(), HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
