"""What a session of PostgreSQL is told when it begins."""

from contextlib import closing
from typing import Any, Final

_SILENCE: Final = 20  # seconds; less than a lease, so that a slice is free when its lease is over
# libpq: a server that was cut off is missed within half a minute, not in two hours. Seconds; the last in milliseconds.
ALERT: Final[dict[str, Any]] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}


def prepare(connection: Any, _record: Any) -> None:
    """
    Let the server end a session that falls silent in the middle of a change.

    A sender that was cut off from the network would else hold its locks, and everybody else up, until the server's
    keepalive misses it: two hours, as servers come.
    """
    with closing(connection.cursor()) as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{_SILENCE}s'")
    connection.commit()


def go_by_keys(connection: Any, _record: Any) -> None:
    """
    Let statements of a batch find their rows by keys, whatever the server takes its tables for.

    A campaign's rows were all written a moment ago, in one step: there are no statistics, and a plan that is kept would
    look through a table of thousands, and soon of millions, for the twenty-five of a commit.
    """
    with closing(connection.cursor()) as cursor:
        for plan in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"):
            cursor.execute(f"SET {plan} = off")
    connection.commit()
