"""
★ Receives a provider's webhook: `receive` says which events a call holds, or refuses it.

A module of a provider holds `Keys` (what its `[webhooks.<provider>]` table comes down to) and `receive`.
"""

from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from typing import Any, Final

import msgspec

from mailer.errors import OperatorError
from mailer.feedback.event import Event
from mailer.feedback.webhook import MAX_BODY, WebhookRefused

PROVIDERS: Final = ("brevo", "mailgun", "mailjet", "postmark", "resend", "sendgrid", "ses")


def keys_of(provider: str, table: Mapping[str, Any]) -> Any:
    """
    The keys to check a provider's calls by.

    Raises:
        OperatorError: There is no such provider.
        msgspec.ValidationError: A key is missing, unknown or of the wrong type.

    """
    return msgspec.convert(dict(table), kind_of_keys(provider))


def kind_of_keys(provider: str) -> type:
    """What a provider's `[webhooks.<provider>]` table is read as; raises as `keys_of`."""
    found: type = _module(provider).Keys
    return found


def receive(provider: str, headers: Mapping[str, str], raw_body: bytes, now: datetime, *, keys: Any) -> list[Event]:
    """
    The events of one call, verified over the raw bytes; answer 2xx only once they are absorbed.

    Raises:
        WebhookRefused: Forged, stale or too large; `status` is the answer.
        OperatorError: There is no such provider.

    """
    if len(raw_body) > MAX_BODY:
        raise WebhookRefused("the body is too large", 413)
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        events: list[Event] = _module(provider).receive(keys, lowered, raw_body, now)
    except (AttributeError, KeyError, TypeError):
        raise WebhookRefused("the body is not what the provider documents", 400) from None
    return events


def _module(provider: str) -> Any:
    if provider not in PROVIDERS:
        raise OperatorError(f'there are no webhooks of "{provider}"; choose one of {", ".join(PROVIDERS)}')
    return import_module(f"mailer.providers.{provider}.webhook")
