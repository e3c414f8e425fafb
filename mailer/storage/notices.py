"""Letters that the public pages owe: taken when due, crossed out when posted, put off when the way out is closed."""

from datetime import timedelta
from typing import Final

import msgspec
from sqlalchemy import select, update

from mailer.clock import Clock
from mailer.storage.database import Database
from mailer.storage.visitors import notices

_FIRST_WAIT: Final = timedelta(minutes=1)
_MOST_TRIES: Final = 12  # the wait doubles: a little over a day in all


class Notice(msgspec.Struct, frozen=True):
    """A letter owed: its `kind` names the template, `about` the signup or the subscriber it speaks of."""

    id: int
    kind: str
    email: str
    language: str
    about: int
    tries: int


class Notices:
    """The book of letters owed."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    def due(self, most: int = 20) -> list[Notice]:
        """Letters whose time has come, the longest waiting first."""
        columns = [notices.c[name] for name in Notice.__struct_fields__]
        with self.database.read() as connection:
            rows = connection.execute(
                select(*columns)
                .where(notices.c.next_try_at <= self.clock.now())
                .order_by(notices.c.next_try_at)
                .limit(most)
            ).all()
        return [Notice(*row) for row in rows]

    def done(self, notice: Notice) -> None:
        """The letter is on its way, or nobody will ever take it."""
        self._try_again_at(notice, None)

    def put_off(self, notice: Notice) -> None:
        """Try again later, twice as late each time, and at last no more."""
        wait = _FIRST_WAIT * 2**notice.tries
        self._try_again_at(notice, wait if notice.tries + 1 < _MOST_TRIES else None)

    def _try_again_at(self, notice: Notice, wait: timedelta | None) -> None:
        with self.database.write() as connection:
            connection.execute(
                update(notices)
                .where(notices.c.id == notice.id)
                .values(next_try_at=None if wait is None else self.clock.now() + wait, tries=notice.tries + 1)
            )
