"""What every handler has at hand: the books, the signer, the clock, the pages."""

from datetime import timedelta
from functools import cached_property, partial
from typing import Final

from starlette.requests import Request

from mailer.app import App
from mailer.deliveries.transport import Transport
from mailer.storage.notices import Notices
from mailer.storage.preferences import Preferences
from mailer.storage.published import Published
from mailer.storage.signups import Limit, Signups
from mailer.web.newsstand import Newsstand
from mailer.web.pages import Pages
from mailer.web.turnstile import Turnstile

DAY: Final = timedelta(days=1)


class Desk:
    """One publication's public desk, made once when the server starts."""

    def __init__(self, house: App) -> None:
        self.house = house
        self.clock = house.clock
        self.signer = house.signer
        templates = house.loaded.resolve(house.config.content.templates)
        self.pages = Pages(templates / "pages", house.config)
        self.letters = Pages(templates / "notices", house.config)
        self.preferences = Preferences(house.database, house.clock)
        self.signups = Signups(house.database, house.clock, partial(self.signer.seals, "erased"))
        self.notices = Notices(house.database, house.clock)
        self.rights = house.rights
        shown = house.config.publication
        self.newsstand = Newsstand(Published(house.database), shown.public_url, self.pages.title, shown.name)
        self.turnstile = Turnstile(self.preferences.leave)

    @cached_property
    def transport(self) -> Transport:
        """The way out for letters: the publication's own."""
        return self.house.outgoing.transport()

    def limit(self, kind: str, value: str, most: int, window: timedelta = DAY) -> Limit:
        """A limit on something that a stranger can set off; what it counts is kept as a keyed hash alone."""
        key = self.signer.seals("quota", f"{kind}:{value}")[0]
        return Limit(key=f"{kind}-{key}", most=most, until=self.clock.now() + window)


def desk_of(request: Request) -> Desk:
    """The desk that serves this request."""
    desk: Desk = request.app.state.desk
    return desk
