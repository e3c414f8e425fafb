"""Mailjet's API 3.1 as its documentation describes it."""

import pytest

from mailer.deliveries.transport import RecipientRefused, TransportDown, Uncertain
from tests.providers.esp import TAKEN, TOKEN, Esp, send


async def test_the_message_is_mapped():
    """Mailjet gets our fields, and our id as the one that its events give back."""
    async with Esp(TAKEN["mailjet"]).running() as esp:
        receipt = await send("mailjet", esp)
    (posted,) = esp.posted
    assert receipt.provider_id == "2"
    assert posted.path == "/v3.1/send"
    assert posted.login == "secret of KEY:secret of SECRET"
    (one,) = posted.json["Messages"]
    assert one["To"] == [{"Email": "alcaldia@nabon.example", "Name": "Alcaldía"}]
    assert one["CustomID"] == f"{TOKEN}@quito.example"
    assert one["TextPart"] == "Señor Alcalde"
    assert one["Headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(("place", "family"), [("To[0].Email", RecipientRefused), ("From", TransportDown)])
async def test_an_error_says_what_it_is_related_to(status, place, family):
    """An error of `To` is the recipient's, any other ours, whatever the status."""
    error = {"ErrorCode": "mj-0013", "ErrorMessage": "invalid", "StatusCode": 400, "ErrorRelatedTo": [place]}
    async with Esp((status, {}, {"Messages": [{"Status": "error", "Errors": [error]}]})).running() as esp:
        with pytest.raises(family):
            await send("mailjet", esp)


async def test_a_yes_that_is_none():
    """A 2xx without a word of our message is no proof."""
    async with Esp((200, {}, {})).running() as esp:
        with pytest.raises(Uncertain):
            await send("mailjet", esp)
