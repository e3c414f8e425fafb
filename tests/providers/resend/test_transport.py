"""Resend's API as its documentation describes it, with its idempotency keys."""

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from mailer.deliveries.transport import Deferred, RecipientRefused, Throttled, TransportDown, Uncertain
from mailer.feedback.verp import delivery_of_message_id
from mailer.messages.message import Message
from mailer.providers.resend.webhook import Keys, receive
from mailer.tokens import Signer
from tests.providers.esp import DROP, STALL, TAKEN, TOKEN, Esp, Journal, a_message, send


async def test_the_message_is_mapped():
    """Resend gets our fields, and our id as its idempotency key."""
    async with Esp(TAKEN["resend"]).running() as esp:
        await send("resend", esp)
    (posted,) = esp.posted
    assert posted.path == "/emails"
    assert posted.headers["authorization"] == "Bearer secret of KEY"
    assert posted.headers["idempotency-key"] == f"{TOKEN}@quito.example"
    assert posted.headers["user-agent"]
    assert posted.json["to"] == ['"Alcaldía" <alcaldia@nabon.example>']
    assert posted.json["reply_to"] == "relaciones@quito.example"
    assert posted.json["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("fault", [DROP, STALL, (504, {}, {})])
async def test_a_lost_answer_is_asked_for_again(fault):
    """The same request under the same key settles what became of the first; it is handed over once."""
    journal = Journal()
    async with Esp(fault, TAKEN["resend"]).running() as esp:
        receipt = await send("resend", esp, journal=journal)
    assert receipt.provider_id == "1"
    assert journal.handed == 1
    first, second = esp.posted
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


@pytest.mark.parametrize(
    "second",
    [
        DROP,
        (401, {}, {"name": "invalid_api_key"}),
        (429, {}, {"name": "rate_limit_exceeded"}),
        (409, {}, {"name": "concurrent_idempotent_requests"}),
    ],
)
async def test_what_can_not_be_asked_stays_uncertain(second):
    """If asking again fails, nothing is known of the first."""
    journal = Journal()
    async with Esp(DROP, second).running() as esp:
        with pytest.raises(Uncertain):
            await send("resend", esp, journal=journal)
    assert journal.handed == 1
    assert len(esp.posted) == 2


@pytest.mark.parametrize(
    ("status", "name", "words", "family"),
    [
        (422, "validation_error", "Invalid `to` field. The email address needs to follow the format", RecipientRefused),
        (422, "validation_error", "Invalid `from` field.", TransportDown),
        (403, "validation_error", "The quito.example domain is not verified.", TransportDown),
        (429, "daily_quota_exceeded", "You have reached your daily email sending quota.", TransportDown),
        (429, "rate_limit_exceeded", "Too many requests.", Throttled),
        (409, "concurrent_idempotent_requests", "in progress", Deferred),
        (409, "invalid_idempotent_request", "used with another body", Uncertain),
    ],
)
async def test_names_of_errors(status, name, words, family):
    """The error's name and words say who is meant."""
    async with Esp((status, {}, {"statusCode": status, "name": name, "message": words})).running() as esp:
        with pytest.raises(family):
            await send("resend", esp)


@pytest.mark.parametrize("as_list", [True, False])
async def test_the_tag_finds_the_delivery(as_list):
    """The tag that travels along leads the webhook back to the delivery, in either shape."""
    signer = Signer(["secret"])
    message_id = f"<{signer.sign('message-id', '3-42')}@quito.example>"
    given = a_message()
    message = Message(message_id, given.sender, given.recipient, given.content)
    async with Esp(TAKEN["resend"]).running() as esp:
        await send("resend", esp, message)
    tags = esp.posted[0].json["tags"]
    if not as_list:
        tags = {one["name"]: one["value"] for one in tags}
    body = json.dumps({"type": "email.delivered", "data": {"to": ["alcaldia@nabon.example"], "tags": tags}}).encode()
    now = datetime(2022, 12, 1, tzinfo=UTC)
    stamp = str(int(now.timestamp()))
    signature = b64encode(hmac.digest(b"key", f"m.{stamp}.".encode() + body, "sha256")).decode()
    headers = {"svix-id": "m", "svix-timestamp": stamp, "svix-signature": f"v1,{signature}"}
    keys = Keys("whsec_" + b64encode(b"key").decode())
    (event,) = receive(keys, headers, body, now)
    assert delivery_of_message_id(event.message_id, signer) == "3-42"
