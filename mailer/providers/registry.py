"""
The ways out by kind. A provider is loaded only when a config names it.

A provider's module holds `Settings` (a msgspec struct: the keys of its `[transports.<name>]` table but for `kind`;
unknown keys are errors) and `make`, which turns settings into a Transport.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

import msgspec

from mailer.deliveries.transport import Transport
from mailer.errors import OperatorError

KINDS: Final = {
    kind: f"mailer.providers.{kind}.transport"
    for kind in ("brevo", "graph", "mailgun", "mailjet", "outbox", "postmark", "resend", "sendgrid", "ses", "smtp")
}

# Given a key of the table and the environment variable it names, the secret held there; raises OperatorError.
Secrets = Callable[[str, str], str]


def settings_of(kind: str) -> type:
    """
    What a transport's table, without `kind`, is read as.

    Raises:
        OperatorError: There is no such kind.

    """
    found: type = _module(kind).Settings
    return found


def make(kind: str, table: Mapping[str, Any], *, name: str, secrets: Secrets) -> Transport:
    """
    Make the transport that `[transports.<name>]` describes, without connecting.

    Raises:
        OperatorError: There is no such kind, or its settings contradict each other.
        msgspec.ValidationError: The table has an unknown key or a wrong type.

    """
    settings: Any = msgspec.convert(dict(table), settings_of(kind))
    transport: Transport = _module(kind).make(settings, name, secrets)
    return transport


def _module(kind: str) -> Any:
    if kind not in KINDS:
        raise OperatorError(f'there is no transport of the kind "{kind}"; choose one of {", ".join(sorted(KINDS))}')
    return import_module(KINDS[kind])
