"""The engine over real SMTP: a transport to a sink, hasty in all its waits."""

from collections import Counter
from collections.abc import Sequence

from mailer.deliveries.transport import Transport
from mailer.providers import registry
from mailer.testing import SmtpSink

FAST = {"connect": 0.5, "mail": 0.5, "rcpt": 0.5, "data": 0.5, "block": 0.5, "dot": 0.5, "quit": 0.2}


def over_smtp(sink: SmtpSink, **given: object) -> Transport:
    """A way out to the sink; a password given is the one that the environment would hold."""
    password = str(given.pop("password", ""))
    table = {"host": sink.host, "port": sink.port, "security": "none", "timeouts": FAST} | given
    return registry.make("smtp", table, name="smtp", secrets=lambda _key, _variable: password)


def copies(sink: SmtpSink) -> Counter[str]:
    """How many copies of its message the server recorded for each recipient, answered or not."""
    return Counter(recipient for message in sink.accepted for recipient in message.recipients)


def tries(sink: SmtpSink, address: str) -> int:
    """How often the recipient was named to the server."""
    return sum(command.upper().startswith(f"RCPT TO:<{address}>".upper()) for command in sink.commands)


def said(sink: SmtpSink, *verbs: str) -> Sequence[str]:
    """The commands of these kinds that went over the wire."""
    return [command for command in sink.commands if command.upper().startswith(verbs)]
