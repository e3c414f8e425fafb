"""Whom a list must not bring: suppressed addresses and domains, and the erased, known by their seals alone."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, or_, select

from mailer.audience.register import Arrival
from mailer.storage.register.tables import erasures, suppressions

Seals = Callable[[str], Sequence[str]]
"""The keyed hashes of an address (`tokens.Signer.seals`)."""


class Barring:
    """Says who is barred, and why; asks the database nothing where nobody is."""

    def __init__(self, connection: Connection, at: datetime, seals: Seals) -> None:
        self._connection = connection
        self._at = at
        self._seals = seals
        self._has_suppressions = connection.scalar(select(suppressions.c.id).limit(1)) is not None
        self._erased = frozenset(connection.scalars(select(erasures.c.seal)))
        self.is_idle = not self._has_suppressions and not self._erased

    def reasons(self, arrivals: Iterable[Arrival]) -> dict[str, str]:
        """By key, why an arrival is barred; the others are not in it."""
        if self.is_idle:
            return {}
        domains = {arrival.key: arrival.domain for arrival in arrivals}
        found = dict.fromkeys(self._suppressed(domains), "suppressed") if self._has_suppressions else {}
        if self._erased:
            found |= {key: "erased" for key in domains if not self._erased.isdisjoint(self._seals(key))}
        return found

    def _suppressed(self, domains: dict[str, str]) -> list[str]:
        wanted = {*domains, *(f"@{domain}" for domain in domains.values())}
        in_force = or_(suppressions.c.until.is_(None), suppressions.c.until > self._at)
        query = select(suppressions.c.key).where(suppressions.c.key.in_(wanted), in_force)
        found = set(self._connection.scalars(query))
        return [key for key, domain in domains.items() if key in found or f"@{domain}" in found]
