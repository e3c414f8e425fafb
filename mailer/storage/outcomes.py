"""
Steps 4 and 5 in SQL: hand-offs and outcomes, a batch of them in one statement.

SQLite's driver lets go of the interpreter's lock at every step of a statement, and beside a busy thread it waits longer
to get it back than the step took. So a batch is no hundred steps, but one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from mailer.deliveries.delivery import Handed, Settlement, State, sources
from mailer.deliveries.ledger import Run
from mailer.storage.database import Database
from mailer.storage.swift import Batch, Swift

# The words of a server may name the address: who was erased meanwhile stays so.
_ANSWER: Final = "reply = CASE WHEN email = '' THEN '' ELSE new.reply END, code = new.code, status = new.status"
_HANDED: Final = Batch(id="integer", transport="text")
_SETTLED: Final = Batch(
    id="integer", reply="text", code="integer", status="text", due_at="instant", deferred_at="instant"
)
# In the order in which they are written: what goes back last, it may have been refused in this very batch.
_OUTCOMES: Final = {
    State.SENT: _ANSWER,
    State.REFUSED: _ANSWER,
    State.UNDELIVERABLE: _ANSWER,
    State.UNCERTAIN: f"{_ANSWER}, uncertain_at = COALESCE(uncertain_at, ?)",
    State.PENDING: f"{_ANSWER}, due_at = new.due_at, deferred_since = COALESCE(deferred_since, new.deferred_at)",
}

# Without the angle brackets that some providers put around it, and some of their reports don't.
_NAMED: Final = Batch(id="integer", provider_id="text")
_NAME: Final = (
    "INSERT INTO provider_ids (delivery_id, provider_id) SELECT new.id, new.provider_id FROM {batch} AS new WHERE true "
    "ON CONFLICT (delivery_id) DO UPDATE SET provider_id = excluded.provider_id"
)


def _move(state: State, before: Sequence[State], values: str) -> str:
    """
    The UPDATE that brings deliveries to a state: those that the run holds, where the move is legal.

    They are found by their numbers. `IS TRUE` keeps the database from going by the states instead: in the middle of a
    campaign PostgreSQL's index of states is full of those that were left behind, and a batch would look through all.
    """
    legal = ", ".join(f"'{source}'" for source in before)
    return (
        f"UPDATE deliveries SET state = '{state}', updated_at = ?, {values} FROM {{batch}} AS new "  # noqa: S608
        f"WHERE deliveries.id = new.id AND run_id = ? AND (state IN ({legal})) IS TRUE"
    )


# A commit whose answer was lost is written once more: what is handed already counts as done.
_HAND_OFF: Final = _move(State.HANDED, (State.CLAIMED, State.HANDED), "transport = new.transport")
# An uncertain delivery is settled by a person or the policy, never by a run that comes late.
_SETTLE: Final = {
    state: _move(state, [source for source in sources(state) if source is not State.UNCERTAIN], values)
    for state, values in _OUTCOMES.items()
}


def write(
    database: Database, run: Run, handed: Sequence[Handed], settled: Sequence[Settlement], *, now: datetime
) -> set[int]:
    """Write hand-offs and outcomes in one commit; gives those that the run no longer held."""
    at = database.stored_instant(now)
    lost: set[int] = set()
    with database.swift_write() as transaction:
        # Outcomes first: none of them can be about a hand-off of the same batch, its sender still waits for it.
        for state, statement in _SETTLE.items():
            if of_state := [one for one in settled if one.state is state]:
                doubted = (at,) if state is State.UNCERTAIN else ()
                rows = [_values(database, one, at) for one in of_state]
                if transaction.change(statement, _SETTLED, rows, before=(at, *doubted), behind=(run.id,)) != len(rows):
                    lost |= _not_there(transaction, run, [one.id for one in of_state], state, at)
        if named := [(one.id, one.provider_id.strip("<>")) for one in settled if one.provider_id]:
            transaction.change(_NAME, _NAMED, named)
        if handed:
            rows = [(one.id, one.transport) for one in handed]
            if transaction.change(_HAND_OFF, _HANDED, rows, before=(at,), behind=(run.id,)) != len(rows):
                lost |= _not_there(transaction, run, [one.id for one in handed], State.HANDED, at)
    return lost


def _values(database: Database, one: Settlement, at: object) -> tuple[object, ...]:
    due_at = at if one.due_at is None else database.stored_instant(one.due_at)
    return one.id, one.reply, one.code, one.status, due_at, at if one.deferred else None


def _not_there(transaction: Swift, run: Run, wanted: Sequence[int], state: State, at: object) -> set[int]:
    """Those that did not get to their state just now. A batch written a second time finds its own there already."""
    marks = ", ".join("?" * len(wanted))
    done = transaction.rows(
        "SELECT id FROM deliveries WHERE campaign_id = ? AND run_id = ? AND state = ? AND updated_at = ? "  # noqa: S608
        f"AND id IN ({marks})",
        (run.campaign_id, run.id, state.value, at, *wanted),
    )
    return set(wanted) - {row[0] for row in done}
