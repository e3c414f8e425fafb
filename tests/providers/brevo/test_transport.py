"""Brevo's API as its documentation describes it."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from mailer.deliveries.transport import RecipientRefused, Throttled, TransportDown, Uncertain
from mailer.providers.brevo.webhook import Keys, receive
from tests.providers.esp import DROP, TAKEN, TOKEN, Esp, send


async def test_the_message_is_mapped_and_its_id_comes_back():
    """Brevo gets our fields, and its webhook gives our id back."""
    async with Esp(TAKEN["brevo"]).running() as esp:
        receipt = await send("brevo", esp)
    (posted,) = esp.posted
    assert receipt.provider_id == "<1@brevo.example>"
    assert posted.path == "/v3/smtp/email"
    assert posted.headers["api-key"] == "secret of KEY"
    body = posted.json
    assert body["sender"] == {"email": "brief@quito.example", "name": "Brief Internacional"}
    assert body["to"] == [{"email": "alcaldia@nabon.example", "name": "Alcaldía"}]
    assert body["htmlContent"] == "<p>Señor Alcalde</p>"
    assert body["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    call = {
        "event": "delivered",
        "email": "alcaldia@nabon.example",
        "message-id": "<1@brevo.example>",
        "X-Mailin-custom": body["headers"]["X-Mailin-custom"],
    }
    login = {"authorization": "Basic " + b64encode(b"u:p").decode()}
    now = datetime(2022, 12, 1, tzinfo=UTC)
    (event,) = receive(Keys("u", "p"), login, json.dumps(call).encode(), now)
    assert event.message_id == f"{TOKEN}@quito.example"


@pytest.mark.parametrize(
    ("status", "code", "words", "family"),
    [
        (400, "invalid_parameter", "email is not valid in to", RecipientRefused),
        (400, "invalid_parameter", "valid sender email required", TransportDown),
        (400, "missing_parameter", "sender name is missing", TransportDown),
        (402, "not_enough_credits", "Not enough credits", TransportDown),
    ],
)
async def test_codes(status, code, words, family):
    """Only an invalid `to` is the recipient's."""
    async with Esp((status, {}, {"code": code, "message": words})).running() as esp:
        with pytest.raises(family):
            await send("brevo", esp)


async def test_the_limit_tells_when_it_ends():
    """Brevo says in how many seconds its limit ends."""
    async with Esp((429, {"x-sib-ratelimit-reset": "12"}, {})).running() as esp:
        with pytest.raises(Throttled) as caught:
            await send("brevo", esp)
    assert caught.value.retry_after == 12


async def test_a_lost_answer_is_asked_for_again():
    """Under the same key of the same try; what Brevo calls a repetition is settled by nobody but a person."""
    async with Esp(DROP, TAKEN["brevo"]).running() as esp:
        assert (await send("brevo", esp)).provider_id == "<1@brevo.example>"
        await send("brevo", esp)
    first, again, other = (posted.json["headers"]["idempotencyKey"] for posted in esp.posted)
    assert first == again != other
    repeated = (400, {}, {"code": "duplicate_request", "message": "this key was used"})
    async with Esp(DROP, repeated).running() as esp:
        with pytest.raises(Uncertain):
            await send("brevo", esp)
