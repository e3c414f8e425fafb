"""How long a test's SMTP transport waits: not long where the server is silent on purpose, and for ever elsewhere."""

from collections.abc import Iterable

from mailer.testing import Fault

# Which of the transport's waits a server's silence at a stage runs into.
WAITS = {
    "connect": "connect",
    "ehlo": "connect",
    "starttls": "connect",
    "auth": "connect",
    "mail": "mail",
    "rcpt": "rcpt",
    "data": "data",
    "body": "block",
    "dot": "dot",
    "accepted": "dot",
}
SHORT, LONG = 0.5, 100.0


def patience(faults: Iterable[Fault] = ()) -> dict[str, float]:
    """
    The transport's timeouts for a server with these faults.

    A server that is merely slow, because the machine is busy, must not look like one that says nothing.
    """
    silent = {WAITS[fault.stage] for fault in faults if fault.stage in WAITS and fault.stall == float("inf")}
    waits = {name: SHORT if name in silent else LONG for name in WAITS.values()}
    return waits | {"quit": SHORT}  # no outcome hangs on it
