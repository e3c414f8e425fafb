"""Whom a list must not bring: suppressed addresses and domains, and the erased, known by their seals alone."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, or_, select

from mailer.address import address_key, domain_of
from mailer.audience.register import Arrivals
from mailer.errors import Refused
from mailer.storage.register.tables import erasures, suppressions

Seals = Callable[[str], Sequence[str]]
"""The keyed hashes of an address (`tokens.Signer.seals`)."""

_HELD: Final = 100_000
_PIECE: Final = 1000


class Barring:
    """Says who is barred; asks the database nothing where nobody is, and once where they are not a great many."""

    def __init__(self, connection: Connection, at: datetime, seals: Seals) -> None:
        self._connection = connection
        self._seals = seals
        self._in_force = or_(suppressions.c.until.is_(None), suppressions.c.until > at)
        many = connection.scalar(select(func.count()).select_from(suppressions).where(self._in_force)) or 0
        self._held: frozenset[str] | None = None
        if many <= _HELD:
            self._held = frozenset(connection.scalars(select(suppressions.c.key).where(self._in_force)))
        self._erased = frozenset(connection.scalars(select(erasures.c.seal)))

    def bars(self, arrivals: Arrivals) -> bool:
        """Whether one of these is barred."""
        return bool(self.suppressed(arrivals.keys, arrivals.domains) or self.erased(arrivals.keys))

    def suppressed(self, keys: Sequence[str], domains: Sequence[str]) -> Collection[str]:
        """The keys among these that are suppressed, by address or by domain."""
        if self._held is not None and not self._held:
            return ()
        closed = self._among({f"@{domain}" for domain in domains})
        found = self._among(keys)
        if not closed:
            return found
        return found | {key for key, domain in zip(keys, domains, strict=True) if f"@{domain}" in closed}

    def erased(self, keys: Iterable[str]) -> Collection[str]:
        """The keys among these that belong to somebody who was erased."""
        if not self._erased:
            return ()
        return {key for key in keys if not self._erased.isdisjoint(self._seals(key))}

    def refuse(self, email: str) -> None:
        """
        Let nobody take a post who is barred.

        Raises:
            Refused: The address was erased, or is suppressed.

        """
        key = address_key(email)
        if self.erased([key]):
            raise Refused(f"{email} was erased; only its owner can bring it back, on the page to join")
        if self.suppressed([key], [domain_of(key)]):
            raise Refused(f"{email} is suppressed and can't be asked to confirm; see `mailer suppressions lift`")

    def _among(self, keys: Collection[str]) -> frozenset[str] | set[str]:
        if self._held is not None:
            return self._held.intersection(keys)
        asked = list(keys)
        found: set[str] = set()
        for start in range(0, len(asked), _PIECE):
            piece = asked[start : start + _PIECE]
            found.update(
                self._connection.scalars(
                    select(suppressions.c.key).where(suppressions.c.key.in_(piece), self._in_force)
                )
            )
        return found
