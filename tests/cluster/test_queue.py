"""The queue of slices over a real PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from benchmarks.ground import Ground
from mailer.cluster import queue
from mailer.cluster.queue import Queue
from mailer.storage.slices import Slice

pytestmark = pytest.mark.postgres
SLICES = [Slice(1, first=number * 10 + 1, last=number * 10 + 10) for number in range(3)]


async def test_each_slice_is_queued_once_and_carried_out(ground: Ground):
    """Slices that are dealt out twice run once each; what is not done comes back at its time."""
    queue.install(ground.database)
    seen: list[Slice] = []

    async def carry_out(part: Slice) -> datetime | None:
        seen.append(part)
        return datetime.now(UTC) + timedelta(seconds=1) if seen.count(part) == 1 and part == SLICES[0] else None

    async with Queue(ground.database) as ours:
        await ours.put(SLICES, locks=["", "", ""])
        await ours.put(SLICES, locks=["", "", ""])
        assert (await ours.queued(1)).waiting == 3
        work = asyncio.create_task(ours.work(carry_out, together=2, slow=1))
        while (await ours.queued(1)).slices:  # noqa: ASYNC110 - what is waited for is in the database
            await asyncio.sleep(0.1)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert sorted(seen, key=lambda part: part.first) == [SLICES[0], *SLICES]


async def test_slices_with_one_lock_run_one_after_the_other(ground: Ground):
    """A domain that allows one connection has one slice at a time, over all workers."""
    queue.install(ground.database)
    running, most = 0, 0

    async def carry_out(_: Slice) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.2)
        running -= 1

    slow = [Slice(1, first=part.first, last=part.last, lane="quito.example") for part in SLICES]
    async with Queue(ground.database) as ours:
        await ours.put(slow, locks=["quito.example/0"] * 3)
        work = asyncio.create_task(ours.work(carry_out, together=1, slow=8))
        while (await ours.queued(1)).slices:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert most == 1


async def test_a_small_campaign_goes_ahead(ground: Ground):
    """What is urgent is taken first, whenever it was queued."""
    queue.install(ground.database)
    seen: list[int] = []

    async def carry_out(part: Slice) -> None:
        seen.append(part.campaign)

    async with Queue(ground.database) as ours:
        await ours.put(SLICES, locks=[""] * 3)
        await ours.put([Slice(2, first=31, last=40)], locks=[""], is_urgent=True)
        work = asyncio.create_task(ours.work(carry_out, together=1, slow=1))
        while (await ours.queued(1)).slices:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert seen == [2, 1, 1, 1]


async def test_what_a_lost_worker_held_is_put_back(ground: Ground):
    """A job of a process whose heartbeat is old goes back into the queue, for anybody."""
    queue.install(ground.database)
    with ground.database.write() as connection:
        connection.execute(text("SET LOCAL search_path TO jobs"))
        old = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute') RETURNING id"
        lost = connection.execute(text(old)).scalar_one()
    async with Queue(ground.database) as ours:
        await ours.put(SLICES[:1], locks=[""])
        with ground.database.write() as connection:
            connection.execute(text("SET LOCAL search_path TO jobs"))
            taken = "UPDATE procrastinate_jobs SET status = 'doing', worker_id = :lost"
            connection.execute(text(taken), {"lost": lost})
        assert (await ours.queued(1)).waiting == 0
        assert await ours.put_back_lost() == 1
        assert (await ours.queued(1)).waiting == 1
