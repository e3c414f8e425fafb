"""
Steps 4 and 5 in SQL: hand-offs and outcomes. These few statements are run for every message, so they are written for
the driver: prepared once, a row of values each, past SQLAlchemy.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from mailer.deliveries.delivery import Handed, Settlement, State, sources
from mailer.deliveries.ledger import Run
from mailer.storage.database import Database, Swift

# A commit whose answer was lost is written once more: what is handed already counts as done.
_HAND_OFF: Final = (
    "UPDATE deliveries SET state = 'handed', transport = ?, updated_at = ? "
    "WHERE id = ? AND run_id = ? AND state IN ('claimed', 'handed')"
)
_SETTLED: Final = (State.SENT, State.REFUSED, State.UNDELIVERABLE, State.UNCERTAIN, State.PENDING)
_MORE: Final = {
    State.PENDING: ", due_at = ?, deferred_since = COALESCE(deferred_since, ?)",
    State.UNCERTAIN: ", uncertain_at = COALESCE(uncertain_at, ?)",
}


# The words of a server may name the address: who was erased meanwhile stays so.
_REPLY: Final = "CASE WHEN email = '' THEN '' ELSE ? END"


def _settle(state: State) -> str:
    """The UPDATE that brings a delivery to its outcome, if the run holds it and the move is legal."""
    # An uncertain delivery is settled by a person or the policy, never by a run that comes late.
    before = ", ".join(f"'{source}'" for source in sources(state) if source is not State.UNCERTAIN)
    return (
        f"UPDATE deliveries SET state = '{state}', reply = {_REPLY}, code = ?, status = ?, updated_at = ?"  # noqa: S608
        f"{_MORE.get(state, '')} WHERE id = ? AND run_id = ? AND state IN ({before})"
    )


_SETTLE: Final = {state: _settle(state) for state in _SETTLED}


def write(
    database: Database, run: Run, handed: Sequence[Handed], settled: Sequence[Settlement], *, now: datetime
) -> set[int]:
    """Write hand-offs and outcomes in one commit; gives those that the run no longer held."""
    at = database.stored_instant(now)
    lost: set[int] = set()
    with database.swift_write() as transaction:
        # Outcomes first: none of them can be about a hand-off of the same batch, its sender still waits for it.
        # And what goes back last of them: it may have been refused in this very batch.
        for state in _SETTLED:
            if of_state := [one for one in settled if one.state is state]:
                rows = [_values(database, run, one, at) for one in of_state]
                if transaction.run(_SETTLE[state], rows) != len(rows):
                    lost |= _not_there(transaction, run, [one.id for one in of_state], state, at)
        if handed:
            rows = [(one.transport, at, one.id, run.id) for one in handed]
            if transaction.run(_HAND_OFF, rows) != len(rows):
                lost |= _not_there(transaction, run, [one.id for one in handed], State.HANDED, at)
    return lost


def _values(database: Database, run: Run, one: Settlement, at: object) -> tuple[object, ...]:
    more: tuple[object, ...] = ()
    if one.state is State.PENDING:
        more = (at if one.due_at is None else database.stored_instant(one.due_at), at if one.deferred else None)
    elif one.state is State.UNCERTAIN:
        more = (at,)
    return (one.reply, one.code, one.status, at, *more, one.id, run.id)


def _not_there(transaction: Swift, run: Run, wanted: Sequence[int], state: State, at: object) -> set[int]:
    """Those that did not get to their state just now. A batch written a second time finds its own there already."""
    marks = ", ".join("?" * len(wanted))
    done = transaction.rows(
        "SELECT id FROM deliveries WHERE campaign_id = ? AND run_id = ? AND state = ? AND updated_at = ? "  # noqa: S608
        f"AND id IN ({marks})",
        (run.campaign_id, run.id, state.value, at, *wanted),
    )
    return set(wanted) - {row[0] for row in done}
