"""What was granted of each limit of the pace: one row a limit, shared by all senders on all machines."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from mailer.deliveries import rate as rates
from mailer.deliveries.rate import Grant, Rate, Spent
from mailer.storage.campaign_tables import allowances
from mailer.storage.database import Database

_SLOTS: Final = dict[int, int]


class Allowances:
    """The part of the ledger that gives leave to send."""

    _database: Database

    def grant(self, scope: str, rate: Rate, wanted: int, *, now: datetime) -> Grant:
        """Give leave for up to `wanted` messages under a limit; what is granted is written down before it is used."""
        with self._database.write() as connection:
            granted, spent = rates.grant(rate, self._spent(connection, scope, rate), wanted, now=now)
            self._keep(connection, scope, rate, spent)
        return granted

    def hand_back(self, scope: str, rate: Rate, number: int) -> None:
        """Take back leave that was not used."""
        with self._database.write() as connection:
            spent = rates.handed_back(rate, self._spent(connection, scope, rate), number)
            self._keep(connection, scope, rate, spent)

    def _spent(self, connection: Connection, scope: str, rate: Rate) -> Spent:
        key = _key(scope, rate)
        unused = self._database.insert(allowances).values(scope=key, slots="{}").on_conflict_do_nothing()
        of_key = self._database.for_update(select(allowances).where(allowances.c.scope == key))
        row = connection.execute(of_key).first()
        if row is None:
            connection.execute(unused)  # whoever comes second waits here for the first
            row = connection.execute(of_key).one()
        return Spent(row.until, msgspec.json.decode(row.slots, type=_SLOTS))

    def _keep(self, connection: Connection, scope: str, rate: Rate, spent: Spent) -> None:
        kept = {"until": spent.until, "slots": msgspec.json.encode(spent.slots).decode()}
        connection.execute(allowances.update().where(allowances.c.scope == _key(scope, rate)).values(kept))


def _key(scope: str, rate: Rate) -> str:
    # Not the count: who raises a quota has still spent what is spent of it.
    return f"{scope}/{rate.seconds}"
