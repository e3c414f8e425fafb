"""The engine over real SMTP: a transport to a sink, in no hurry but where the sink is to be given up."""

from collections import Counter
from collections.abc import Sequence

from mailer.deliveries.transport import Transport
from mailer.providers import registry
from mailer.testing import SmtpSink
from tests.patience import patience


def over_smtp(sink: SmtpSink, **given: object) -> Transport:
    """A way out to the sink; a password given is the one that the environment would hold."""
    password = str(given.pop("password", ""))
    table = {"host": sink.host, "port": sink.port, "security": "none", "timeouts": patience(sink.script.faults)} | given
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
