"""A campaign through each provider's API, with faults: everybody is accounted for, and nobody gets two."""

import base64
import re
from collections import Counter
from datetime import timedelta

import pytest

from mailer.deliveries.delivery import Claimed, State
from mailer.deliveries.orders import Ending
from mailer.messages.message import Message
from tests.databases import empty_books
from tests.deliveries.stage import Stage
from tests.providers.esp import DROP, KINDS, TAKEN, Esp, transport

PEOPLE = 60
# How each says that the recipient is none.
REFUSED = {
    "brevo": (400, {}, {"code": "invalid_parameter", "message": "email is not valid in to"}),
    "graph": (400, {}, {"error": {"code": "ErrorInvalidRecipients", "message": "no"}}),
    "mailgun": (400, {}, {"message": "'to' parameter is not a valid address."}),
    "mailjet": (400, {}, {"Messages": [{"Status": "error", "Errors": [{"ErrorRelatedTo": ["To[0].Email"]}]}]}),
    "postmark": (422, {}, {"ErrorCode": 406, "Message": "inactive"}),
    "resend": (422, {}, {"name": "validation_error", "message": "Invalid `to` field."}),
    "sendgrid": (400, {}, {"errors": [{"message": "invalid", "field": "personalizations.0.to.0.email"}]}),
    "ses": (400, {"x-amzn-ErrorType": "BadRequestException"}, {"message": "Illegal address"}),
}


class Behaviour:
    """Faults by the recipient's number, each once; what is taken is counted, once a key where there are keys."""

    def __init__(self, kind):
        self.kind = kind
        self.met = set()
        self.taken = Counter()
        self.keys = set()

    def __call__(self, request):
        body = request.body
        if self.kind in ("graph", "ses"):
            raw = body if self.kind == "graph" else request.json["Content"]["Raw"]["Data"]
            body = base64.b64decode(raw)
        number = int(re.search(rb"gads(\d+)@", body)[1])
        first = number not in self.met
        self.met.add(number)
        if number == 13:
            return REFUSED[self.kind]
        if first and number % 10 == 1:
            return 429, {"Retry-After": "1"}, {}
        if first and number % 10 == 2:
            return 500, {}, {}
        key = request.headers.get("idempotency-key")
        if key is None or key not in self.keys:
            self.taken[number] += 1
            self.keys.add(key)
        return DROP if first and number in (5, 25) else TAKEN[self.kind]


def make_message(claimed: Claimed) -> Message:
    address = claimed.recipient.email
    named = f"<{claimed.campaign_id}.{claimed.recipient.subscriber_id}@quito.example>"
    content = f"From: brief@quito.example\r\nTo: {address}\r\nMessage-ID: {named}\r\n\r\nHola\r\n".encode()
    return Message(named, "b@quito.example", address, content)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_campaign_reconciles(kind, tmp_path):
    """Retries go through, a refusal and lost answers are listed by name, and nobody is sent two."""
    stage = Stage(empty_books(tmp_path / "mailer.db"))
    stage.people(PEOPLE)
    campaign = stage.campaign()
    behaviour = Behaviour(kind)
    async with Esp(behaviour).running() as esp:
        for _ in range(4):
            way = transport(kind, esp.url)
            result = await stage.sending(campaign, way, make_message=make_message)
            if result.ending is not Ending.RETRIES_LEFT:
                break
            stage.clock.move_on(timedelta(hours=1))
    states = stage.states(campaign)
    lost = set() if kind == "resend" else {"gads5@quito.example", "gads25@quito.example"}
    assert {name for name, state in states.items() if state == State.UNCERTAIN} == lost
    assert {name for name, state in states.items() if state == State.REFUSED} == {"gads13@quito.example"}
    assert result.account.sent == PEOPLE - 1 - len(lost)
    assert result.account.reconciled
    assert set(behaviour.taken.values()) == {1}
    assert len(behaviour.taken) == PEOPLE - 1
    stage.close()
