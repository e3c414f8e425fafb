"""
What the APIs that build messages themselves have in common: their settings, and the message in fields.

They can't express everything that a message of ours may hold. What they can't is refused by name, and since every
campaign's editions are tried on its ways out before it starts, that is where it is found (`HttpTransport.check`).
"""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from mailer.deliveries.transport import TransportDown
from mailer.messages.message import Message
from mailer.providers.fields import Fields, fields
from mailer.providers.http import Request, Timeouts, Trace


class MappedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`signs_itself` says that the provider signs for our domain, so that our own signature may be left out."""

    signs_itself: bool = False
    timeouts: Timeouts = Timeouts()


class KeySettings(MappedSettings, frozen=True, kw_only=True):
    """`[transports.<name>]` of a provider that asks for one key."""

    key_env: str
    url: str = ""


class Mapped:
    """An API that is given fields."""

    provider = ""
    """Its name, as people write it."""

    def __init__(self, url: str, *, signs_itself: bool) -> None:
        self.url = url
        self._signs_itself = signs_itself

    def fields(self, message: Message) -> Fields:
        """
        The message in fields.

        Raises:
            TransportDown: It holds what the API can't express: a signature of ours, or parts besides text and HTML.

        """
        head = message.content.partition(b"\r\n\r\n")[0].lower()
        if not self._signs_itself and (b"\r\n" + head).find(b"\r\ndkim-signature:") >= 0:
            raise TransportDown(
                f"{self.provider} writes messages anew, so the signature of [dkim] would be lost: let {self.provider} "
                f"sign for the domain and set signs_itself = true, or choose a way that takes our bytes"
            )
        return fields(message, self.provider)


class Bearer(Mapped):
    """An API that is given fields, and proves the key by `Authorization: Bearer` (RFC 6750)."""

    def __init__(self, url: str, key: str, *, signs_itself: bool) -> None:
        super().__init__(url, signs_itself=signs_itself)
        self._key = key

    async def identify(self, client: httpx.AsyncClient) -> Mapping[str, str]:  # noqa: ARG002 - a key for good
        """The API key."""
        return {"Authorization": f"Bearer {self._key}"}


def in_json(path: str, body: Mapping[str, Any], *, key: str = "", trace: Trace | None = None) -> Request:
    """A request with a body in JSON but for the fields that are None; `key` is its idempotency key, if it has one."""
    content = msgspec.json.encode({name: value for name, value in body.items() if value is not None})
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    return Request(path, content, headers, is_idempotent=bool(key), trace=trace)
