"""Reports that name a message by the provider's own id alone."""

import json

import pytest
from sqlalchemy import select

from mailer.feedback.absorb import Policy, absorb
from mailer.feedback.verp import delivery_of_message_id
from mailer.providers.webhooks import PROVIDERS, keys_of, receive
from mailer.storage.campaign_tables import provider_ids
from mailer.storage.feedback import SqlFeedbackBook
from mailer.storage.rights import Rights
from mailer.tokens import Signer
from tests.databases import empty_books, empty_database
from tests.deliveries.stage import Stage
from tests.providers.calls import BASIC, NOW, STAMP, TABLES, mailgun, resend, sendgrid, ses
from tests.providers.esp import TAKEN, Esp, transport
from tests.providers.test_campaign import make_message

ELSEWHERE = "reenvio@otra.example"  # where a reader's own mail is forwarded to: no address of ours
SIGNER = Signer(["the publication's secret"])
COMPLAINTS = {
    "sendgrid": sendgrid([{"event": "spamreport", "email": ELSEWHERE, "sg_message_id": "1.recvd-7b9d-1-5F.0"}]),
    "mailgun": mailgun(
        {
            "id": "e",
            "event": "complained",
            "recipient": ELSEWHERE,
            "message": {"headers": {"message-id": "1@quito.example"}},
        }
    ),
    "resend": resend({"type": "email.complained", "data": {"to": [ELSEWHERE], "email_id": "1"}}),
    "ses": ses(
        {
            "notificationType": "Complaint",
            "mail": {"messageId": "1", "destination": [ELSEWHERE]},
            "complaint": {"complainedRecipients": [{"emailAddress": ELSEWHERE}]},
        }
    ),
    "postmark": (BASIC, json.dumps({"RecordType": "SpamComplaint", "Email": ELSEWHERE, "MessageID": "1"}).encode()),
    "brevo": (
        BASIC,
        json.dumps({"event": "spam", "email": ELSEWHERE, "ts": int(STAMP), "message-id": "<1@brevo.example>"}).encode(),
    ),
    "mailjet": (BASIC, json.dumps([{"event": "spam", "email": ELSEWHERE, "MessageID": 2}]).encode()),
}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_s_own_id_finds_the_delivery(provider, tmp_path):
    """What a provider called a message when it took it is kept: a report that says nothing else finds its reader."""
    await see_it_found(provider, empty_books(tmp_path / "mailer.db"))


@pytest.mark.postgres
async def test_postgresql_keeps_the_ids_as_well(postgres_url):
    """A provider's own id finds its delivery on PostgreSQL too."""
    with empty_database(postgres_url) as url:
        await see_it_found("brevo", url)


async def see_it_found(provider, url):
    stage = Stage(url)
    stage.people(1)
    campaign = stage.campaign()
    async with Esp(lambda _: TAKEN[provider]).running() as esp:
        await stage.sending(campaign, transport(provider, esp.url), make_message=make_message)
    book = SqlFeedbackBook(stage.database, stage.clock, SIGNER)
    events = receive(provider, *COMPLAINTS[provider], NOW, keys=keys_of(provider, TABLES[provider]))
    assert not any(delivery_of_message_id(event.message_id, SIGNER) for event in events)
    absorb(events, book=book, policy=Policy(), now=NOW)
    (entry,) = book.entries()
    assert (entry.address, entry.campaign_id, entry.subscriber_id) == ("gads1@quito.example", campaign.id, 1)
    rights = Rights(stage.database, stage.clock, lambda key: (key,))
    assert len(rights.everything(1, who="reader")["provider_ids"]) == 1
    rights.erase(1, who="reader")
    with stage.database.read() as connection:
        assert connection.scalars(select(provider_ids.c.provider_id)).all() == [""]
    stage.close()
