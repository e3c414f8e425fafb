"""SendGrid's API as its documentation describes it."""

import pytest

from mailer.deliveries.transport import RecipientRefused, Throttled, TransportDown
from tests.providers.esp import TAKEN, TOKEN, Esp, send


async def test_the_message_is_mapped():
    """Text comes before HTML, nothing is tracked, and our id travels as a custom argument."""
    async with Esp(TAKEN["sendgrid"]).running() as esp:
        receipt = await send("sendgrid", esp)
    (posted,) = esp.posted
    assert receipt.provider_id == "1"
    assert posted.path == "/v3/mail/send"
    assert posted.headers["authorization"] == "Bearer secret of KEY"
    body = posted.json
    assert body["personalizations"] == [{"to": [{"email": "alcaldia@nabon.example", "name": "Alcaldía"}]}]
    assert body["reply_to"] == {"email": "relaciones@quito.example"}
    assert [one["type"] for one in body["content"]] == ["text/plain", "text/html"]
    assert body["custom_args"] == {"message-id": f"{TOKEN}@quito.example"}
    assert body["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert not any(one["enable"] for one in body["tracking_settings"].values())


@pytest.mark.parametrize(
    ("field", "family"), [("personalizations.0.to.0.email", RecipientRefused), ("from.email", TransportDown)]
)
async def test_the_field_says_who_is_meant(field, family):
    """An error in the recipient's field is the recipient's, any other is ours."""
    error = {"errors": [{"message": "Does not contain a valid address.", "field": field, "help": None}]}
    async with Esp((400, {}, error)).running() as esp:
        with pytest.raises(family):
            await send("sendgrid", esp)


async def test_the_limit_tells_when_it_ends():
    """SendGrid says when its limit ends in Unix seconds."""
    headers = {"Date": "Wed, 30 Nov 2022 14:00:00 GMT", "X-RateLimit-Reset": "1669816830"}
    async with Esp((429, headers, {"errors": [{"message": "too many requests"}]})).running() as esp:
        with pytest.raises(Throttled) as caught:
            await send("sendgrid", esp)
    assert caught.value.retry_after == 30
