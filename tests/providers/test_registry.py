"""The ways out by kind."""

import msgspec
import pytest

from mailer.errors import OperatorError
from mailer.providers import registry

REQUIRED = {
    "outbox": {"folder": "x"},
    "smtp": {"host": "127.0.0.1"},
    "graph": {"mailbox": "brief@quito.example"},
    "mailgun": {"domain": "quito.example", "key_env": "K"},
    "mailjet": {"key_env": "K", "secret_key_env": "S"},
    "postmark": {"token_env": "K"},
    "ses": {"region": "sa-east-1"},
}


def test_an_unknown_kind_is_named():
    """A kind that doesn't exist is one sentence with those that do."""
    with pytest.raises(OperatorError, match=r'"pigeon"; choose one of brevo, .*, outbox, .*, smtp'):
        registry.make("pigeon", {}, name="p", secrets=lambda key, variable: "")


@pytest.mark.parametrize("kind", sorted(registry.KINDS))
def test_an_unknown_key_is_refused(kind):
    """Each provider's settings refuse what they don't know."""
    with pytest.raises(msgspec.ValidationError, match="wings"):
        msgspec.convert({**REQUIRED.get(kind, {"key_env": "K"}), "wings": 2}, registry.settings_of(kind))
