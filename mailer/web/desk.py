"""What every handler has at hand: the books, the signer, the clock, the pages."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property, partial
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from mailer.app import App
from mailer.deliveries.failover import Failover
from mailer.editions.theme import Theme
from mailer.storage.clicks import Clicks
from mailer.storage.notices import Notices
from mailer.storage.preferences import Preferences, Reader
from mailer.storage.published import Published
from mailer.storage.signups import Limit, Signups
from mailer.web.holdings import Holdings
from mailer.web.newsstand import Newsstand
from mailer.web.pages import Pages
from mailer.web.searching import Search
from mailer.web.tally import Tally
from mailer.web.turnstile import Turnstile

DAY: Final = timedelta(days=1)


class Desk:
    """One publication's public desk, made once when the server starts."""

    def __init__(self, house: App) -> None:
        self.house = house
        self.clock = house.clock
        self.signer = house.signer
        templates = house.press.templates
        theme = Theme.load(house.press.theme)
        self.pages = Pages(templates / "pages", house.config, theme)
        self.letters = Pages(templates / "notices", house.config, theme)
        self.preferences = Preferences(house.database, house.clock)
        self.signups = Signups(house.database, house.clock, partial(self.signer.seals, "erased"))
        self.notices = Notices(house.database, house.clock)
        self.rights = house.rights
        shown = house.config.publication
        published = Published(house.database)
        self.newsstand = Newsstand(
            published,
            Holdings(published, house.shelf),
            public_url=shown.public_url,
            title=self.pages.title,
            name=shown.name,
            theme=theme,
        )
        self.exit = Turnstile(self._let_leave)
        self.tally = Tally(Clicks(house.database), house.clock)
        self.search = Search(self.newsstand)
        # The hour after a send brings everybody at once, and a browser is the dearest thing that a request can ask for:
        # who waits for it waits here, and takes none of the threads that others need.
        self.press = asyncio.Lock()

    async def leave(self, subscriber_id: int, how: str) -> bool:
        """Take a reader out of everything; False if there is nobody of that number. On return it is on the disk."""
        return await self.exit.through((subscriber_id, how))

    async def part_with(self, subscriber_id: int, how: str) -> Reader | None:
        """As `leave`; gives the reader as they are now."""
        is_gone = await self.leave(subscriber_id, how)
        return await run_in_threadpool(self.preferences.find, subscriber_id) if is_gone else None

    def _let_leave(self, departing: Sequence[tuple[int, str]]) -> list[bool]:
        gone = self.preferences.leave(dict(reversed(departing)))  # who asks twice at once went by the first way
        return [number in gone for number, _ in departing]

    @cached_property
    def transport(self) -> Failover:
        """The ways out for letters: the publication's own, the next one while those before it are down."""
        return Failover(self.house.outgoing.ways, self.clock)

    def limit(self, kind: str, value: str, most: int, window: timedelta = DAY) -> Limit:
        """A limit on something that a stranger can set off; what it counts is kept as a keyed hash alone."""
        key = self.signer.seals("quota", f"{kind}:{value}")[0]
        return Limit(key=f"{kind}-{key}", most=most, until=self.clock.now() + window)


def desk_of(request: Request) -> Desk:
    """The desk that serves this request."""
    desk: Desk = request.app.state.desk
    return desk
