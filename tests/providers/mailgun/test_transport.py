"""Mailgun's API as its documentation describes it."""

from email import message_from_bytes

import pytest

from mailer.deliveries.transport import RecipientRefused, TransportDown
from tests.providers.esp import TAKEN, Esp, a_message, send


async def test_the_bytes_travel_as_they_are():
    """The form holds the recipient, no tracking, and our message to the octet."""
    message = a_message()
    async with Esp(TAKEN["mailgun"]).running() as esp:
        await send("mailgun", esp, message)
    (posted,) = esp.posted
    assert posted.path == "/v3/quito.example/messages.mime"
    assert posted.login == "api:secret of KEY"
    form = message_from_bytes(b"Content-Type: " + posted.headers["content-type"].encode() + b"\r\n\r\n" + posted.body)
    names = [part.get_param("name", header="content-disposition") for part in form.get_payload()]
    assert names == ["to", "o:tracking", "message"]
    assert form.get_payload(0).get_payload() == "alcaldia@nabon.example"
    assert message.content in posted.body


@pytest.mark.parametrize(
    ("words", "family"),
    [
        ("to parameter is not a valid address. please check documentation", RecipientRefused),
        ("'to' parameter is not a valid address. please check documentation", RecipientRefused),
        ("'from' parameter is not a valid address", TransportDown),
        ("Domain quito.example is not allowed to send: recipient limit exceeded", TransportDown),
    ],
)
async def test_a_400_says_who_is_meant(words, family):
    """Only what names the recipient is held against them."""
    async with Esp((400, {}, {"message": words})).running() as esp:
        with pytest.raises(family):
            await send("mailgun", esp)
