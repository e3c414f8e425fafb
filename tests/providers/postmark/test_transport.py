"""Postmark's API as its documentation describes it."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from mailer.deliveries.transport import RecipientRefused, Throttled, TransportDown, Uncertain
from mailer.providers.postmark.webhook import Keys, receive
from tests.providers.esp import TAKEN, TOKEN, Esp, send


async def test_the_message_is_mapped():
    """Postmark gets our fields, our headers and the token's header, and tracks nothing."""
    async with Esp(TAKEN["postmark"]).running() as esp:
        await send("postmark", esp)
    (posted,) = esp.posted
    assert posted.path == "/email"
    assert posted.headers["x-postmark-server-token"] == "secret of KEY"
    body = posted.json
    headers = {one["Name"]: one["Value"] for one in body.pop("Headers")}
    assert body == {
        "From": '"Brief Internacional" <brief@quito.example>',
        "To": '"Alcaldía" <alcaldia@nabon.example>',
        "ReplyTo": "relaciones@quito.example",
        "Subject": "Año nuevo",
        "TextBody": "Señor Alcalde",
        "HtmlBody": "<p>Señor Alcalde</p>",
        "Metadata": {"message-id": f"{TOKEN}@quito.example"},
        "MessageStream": "broadcast",
        "TrackOpens": False,
        "TrackLinks": "None",
    }
    assert headers["List-Unsubscribe"] == f"<https://quito.example/u/{TOKEN}>, <mailto:u+1@quito.example>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Id"] == "Brief <brief.quito.example>"
    assert headers["Message-ID"] == f"<{TOKEN}@quito.example>"
    assert "DKIM-Signature" not in headers


@pytest.mark.parametrize(
    ("status", "code", "words", "family"),
    [
        (422, 406, "You tried to send to recipient(s) that have been marked as inactive.", RecipientRefused),
        (422, 300, "Error parsing 'To': Illegal email address 'a b@x'.", RecipientRefused),
        (422, 300, "Error parsing 'From': Illegal email address.", TransportDown),
        (422, 400, "The 'From' address you supplied is not a Sender Signature.", TransportDown),
        (422, 412, "Your account is pending approval.", TransportDown),
        (200, 406, "Inactive recipient", RecipientRefused),
        (422, 100, "Maintenance", Throttled),
    ],
)
async def test_error_codes(status, code, words, family):
    """The error code says who is meant."""
    async with Esp((status, {}, {"ErrorCode": code, "Message": words})).running() as esp:
        with pytest.raises(family):
            await send("postmark", esp)


async def test_a_yes_that_is_none():
    """A 2xx that isn't Postmark's own is no proof of anything."""
    async with Esp((200, {}, None)).running() as esp:
        with pytest.raises(Uncertain):
            await send("postmark", esp)


async def test_the_webhook_gives_our_id_back():
    """What travels as metadata is what the webhook's parser reads."""
    async with Esp(TAKEN["postmark"]).running() as esp:
        await send("postmark", esp)
    call = {"RecordType": "Delivery", "MessageID": "1", "Metadata": esp.posted[0].json["Metadata"]}
    login = {"authorization": "Basic " + b64encode(b"u:p").decode()}
    body = json.dumps(call).encode()
    (event,) = receive(Keys("u", "p"), login, body, datetime(2022, 12, 1, tzinfo=UTC))
    assert event.message_id == f"{TOKEN}@quito.example"
