"""
For tests, rehearsals and the demo: an SMTP server that can misbehave, a clock that stands still, ready-made values.

`python -m mailer.testing --help` runs the server by itself.
"""

from mailer.testing.clock import FrozenClock
from mailer.testing.faults import Fault
from mailer.testing.process import SinkProcess, sink_process
from mailer.testing.sink import Accepted, SmtpSink
from mailer.testing.values import A_SHORT_ISSUE, a_letterhead, a_recipient, an_edition

__all__ = [
    "A_SHORT_ISSUE",
    "Accepted",
    "Fault",
    "FrozenClock",
    "SinkProcess",
    "SmtpSink",
    "a_letterhead",
    "a_recipient",
    "an_edition",
    "sink_process",
]
