"""The ways out by kind."""

import msgspec
import pytest

from mailer.errors import OperatorError
from mailer.providers import registry


def test_an_unknown_kind_is_named():
    """A kind that doesn't exist is one sentence with those that do."""
    with pytest.raises(OperatorError, match='"pigeon"; choose one of outbox, smtp'):
        registry.make("pigeon", {}, name="p", secrets=lambda key, variable: "")


@pytest.mark.parametrize("kind", sorted(registry.KINDS))
def test_an_unknown_key_is_refused(kind):
    """Each provider's settings refuse what they don't know."""
    with pytest.raises(msgspec.ValidationError):
        registry.settings(kind, {"host": "127.0.0.1", "folder": "x", "wings": 2})
