"""
Wishes to join: kept until the address confirms them, and answered alike whoever asks.

Everything that a stranger can set off is counted here first, in the database, so that a restart or a second process
changes nothing about the limits.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Connection, case, delete, func, insert, or_, select, update

from mailer.address import address_key, domain_of
from mailer.audience.subscriber import Ground
from mailer.clock import Clock
from mailer.storage.database import Database
from mailer.storage.preferences import Reader, join, note, own, readers_of
from mailer.storage.register.barring import Seals
from mailer.storage.register.grounds import add_ground
from mailer.storage.register.tables import erasures, memberships, subscribers, suppressions
from mailer.storage.visitors import departures, notices, quotas, signups

CONFIRM_WITHIN: Final = timedelta(days=3)
_FORGET_AFTER: Final = timedelta(days=30)


class Wish(msgspec.Struct, frozen=True):
    """What somebody typed who wants to join; `consent` is the version of the text they agreed to."""

    email: str
    name: str
    language: str
    segments: tuple[str, ...]
    consent: str


class Limit(msgspec.Struct, frozen=True):
    """At most `most` times until `until`, counted under a key."""

    key: str
    most: int
    until: datetime


class Signups:
    """The book of wishes to join; every method is one transaction."""

    def __init__(self, database: Database, clock: Clock, seals: Seals) -> None:
        self.database = database
        self.clock = clock
        self.seals = seals

    def spend(self, *limits: Limit) -> bool:
        """Count one more under every key, unless one of them is used up: then count nothing and say False."""
        with self.database.write() as connection:
            return _spend(connection, self.database, limits, self.clock.now())

    def ask(self, wish: Wish, limits: Sequence[Limit]) -> None:
        """
        Note a wish and the letter that answers it; nothing at all where a limit is used up or the address suppressed.

        Who is a reader already gets a letter that says so, so that the page needn't tell anybody.
        """
        now = self.clock.now()
        with self.database.write() as connection:
            if not _spend(connection, self.database, limits, now) or _is_suppressed(connection, wish.email, now):
                return
            known = connection.execute(
                select(subscribers.c.id, subscribers.c.language)
                .join(memberships, memberships.c.subscriber_id == subscribers.c.id)
                .where(
                    subscribers.c.email_key == address_key(wish.email),
                    subscribers.c.state == "active",
                    memberships.c.state == "joined",
                )
            ).first()
            if known:
                language = known.language or wish.language
                _owe(connection, now, kind="known", email=wish.email, language=language, about=known.id)
                return
            number = connection.execute(
                insert(signups)
                .values(
                    email=wish.email,
                    name=wish.name,
                    language=wish.language,
                    segments=msgspec.json.encode(wish.segments).decode(),
                    consent=wish.consent,
                    asked_at=now,
                )
                .returning(signups.c.id)
            ).scalar_one()
            _owe(connection, now, kind="confirm", email=wish.email, language=wish.language, about=number)

    def pending(self, number: int) -> Wish | None:
        """The wish of that number while it may be confirmed or just was; None once it is too late."""
        with self.database.read() as connection:
            row = connection.execute(select(signups).where(signups.c.id == number)).first()
        if row is None or self.clock.now() - row.asked_at > CONFIRM_WITHIN:
            return None
        return Wish(
            email=row.email,
            name=row.name,
            language=row.language,
            segments=tuple(msgspec.json.decode(row.segments)),
            consent=row.consent,
        )

    def confirm(self, number: int) -> Reader | None:
        """
        Put the one who wished into the register; None if there is no such wish, or not any more.

        A wish is good for once: a second confirmation changes nothing, not even after the reader has left again.
        """
        wish, now = self.pending(number), self.clock.now()
        if wish is None:
            return None
        with self.database.write() as connection:
            row = connection.execute(self.database.for_update(select(signups).where(signups.c.id == number))).one()
            if row.confirmed_at is not None:
                return readers_of(connection, [row.subscriber_id]).get(row.subscriber_id)
            subscriber_id = _register(connection, self.database, wish, now)
            join(connection, self.database, subscriber_id, wish.segments, now)
            connection.execute(delete(departures).where(departures.c.subscriber_id == subscriber_id))
            known_by = self.seals(address_key(wish.email))  # who was erased and wishes to come back is welcome
            connection.execute(delete(erasures).where(erasures.c.seal.in_(known_by)))
            connection.execute(
                update(signups).where(signups.c.id == number).values(confirmed_at=now, subscriber_id=subscriber_id)
            )
            shown = f"the link posted to the address was followed and its button pressed; signup:{number}"
            ground = Ground(now, "consent", "web form", wish.consent, shown, who="reader")
            add_ground(connection, subscriber_id, ground)
            note(connection, subscriber_id, now, "subscribed", f"signup:{number} consent:{wish.consent}")
            return readers_of(connection, [subscriber_id])[subscriber_id]

    def owe(self, kind: str, reader: Reader, language: str, *limits: Limit) -> None:
        """Note a letter to a reader; nothing where a limit is used up."""
        now = self.clock.now()
        with self.database.write() as connection:
            if _spend(connection, self.database, limits, now):
                _owe(connection, now, kind=kind, email=reader.email, language=language, about=reader.id)

    def tidy(self) -> None:
        """Forget what has served its time: counts, letters, and wishes never confirmed."""
        now = self.clock.now()
        with self.database.write() as connection:
            connection.execute(delete(quotas).where(quotas.c.until < now))
            connection.execute(delete(notices).where(notices.c.created_at < now - _FORGET_AFTER))
            connection.execute(
                delete(signups).where(
                    signups.c.asked_at < now - _FORGET_AFTER,
                    or_(signups.c.confirmed_at.is_(None), signups.c.subscriber_id.is_(None)),
                )
            )


def _spend(connection: Connection, database: Database, limits: Sequence[Limit], now: datetime) -> bool:
    """Count under each key while it is below its limit; in the order of the keys, so that no two wait crosswise."""
    spent: list[str] = []
    is_over = quotas.c.until <= now
    for limit in sorted(limits, key=lambda limit: limit.key):
        counted = connection.execute(
            database.insert(quotas)
            .values(key=limit.key, used=1, until=limit.until)
            .on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "used": case((is_over, 1), else_=quotas.c.used + 1),
                    "until": case((is_over, limit.until), else_=quotas.c.until),
                },
                where=or_(is_over, quotas.c.used < limit.most),
            )
            .returning(quotas.c.used)
        ).first()
        if counted is None:
            connection.execute(update(quotas).where(quotas.c.key.in_(spent)).values(used=quotas.c.used - 1))
            return False
        spent.append(limit.key)
    return True


def _is_suppressed(connection: Connection, email: str, now: datetime) -> bool:
    keys = [address_key(email), f"@{domain_of(address_key(email))}"]
    found = connection.scalar(
        select(func.count())
        .select_from(suppressions)
        .where(
            suppressions.c.key.in_(keys),
            or_(suppressions.c.until.is_(None), suppressions.c.until > now),
        )
    )
    return bool(found)


def _owe(connection: Connection, now: datetime, *, kind: str, email: str, language: str, about: int) -> None:
    connection.execute(
        insert(notices).values(
            kind=kind, email=email, language=language, about=about, created_at=now, next_try_at=now, tries=0
        )
    )


def _register(connection: Connection, database: Database, wish: Wish, now: datetime) -> int:
    """The number of the wish's address in the register, its entry made or brought back to life."""
    said = {"language": wish.language, "name": wish.name} if wish.name else {"language": wish.language}
    blank = dict.fromkeys(("name", "honorific", "position", "institution", "country"), "")
    key = address_key(wish.email)
    entry = database.insert(subscribers).values(
        **(blank | said), email=wish.email, email_key=key, domain=domain_of(key), created_at=now, updated_at=now
    )
    number: int = connection.execute(
        entry.on_conflict_do_update(
            index_elements=["email_key"], set_={**said, "state": "active", "paused_until": None, "updated_at": now}
        ).returning(subscribers.c.id)
    ).scalar_one()
    own(connection, database, number, said)
    return number
