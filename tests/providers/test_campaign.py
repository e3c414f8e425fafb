"""A campaign through each provider's API, with faults: everybody is accounted for, and nobody gets two."""

import base64
import re
from collections import Counter
from datetime import timedelta
from urllib.parse import unquote

import pytest

from mailer.deliveries.delivery import Claimed, State
from mailer.deliveries.orders import Ending
from mailer.messages.message import Message
from tests.deliveries.stage import Stage
from tests.providers.esp import DROP, HERE, KINDS, NOT_HERE, TAKEN, Esp, transport

PEOPLE = 1_000
PATIENT = {"look_up": [0.0]}  # nothing here is a matter of time, however busy the machine is
KEYED = ("brevo", "resend")  # take a key once
REFUSED_ONES = set(range(13, PEOPLE, 200))
LOST_WHEN_TAKEN = set(range(5, PEOPLE, 100))
LOST_UNTAKEN = set(range(25, PEOPLE, 250))
FAULTS = (
    {number: (429, {"Retry-After": "0.01"}, {}) for number in range(1, PEOPLE, 50)}
    | {number: (500, {}, {}) for number in range(2, PEOPLE, 50)}
    | {number: (503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, {}) for number in range(3, PEOPLE, 100)}
    | dict.fromkeys(LOST_UNTAKEN, DROP)
)
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
    """
    Faults by the recipient's number, each once; what is taken is counted, once a key where there are keys.

    It authenticates, limits the rate, fails, refuses, and loses answers: of what it took, of what it did not take, and
    in the middle of a request. Asked by our id, it says what it took.
    """

    def __init__(self, kind):
        self.kind = kind
        self.met = set()
        self.taken = Counter()
        self.keys = set()

    def __call__(self, request):
        if not ({"authorization", "api-key", "x-postmark-server-token"} & request.headers.keys()):
            return 401, {}, {"message": "no key"}
        body = request.body
        if self.kind in ("graph", "ses"):
            raw = body if self.kind == "graph" else request.json["Content"]["Raw"]["Data"]
            body = base64.b64decode(raw)
        number = int(re.search(rb"gads(\d+)@", body)[1])
        first = number not in self.met
        self.met.add(number)
        if number in REFUSED_ONES:
            return REFUSED[self.kind]
        if first and number in FAULTS:
            return FAULTS[number]
        key = request.headers.get("idempotency-key")
        if self.kind == "brevo":
            key = request.json["headers"]["idempotencyKey"]
        if key is None or key not in self.keys:
            self.taken[number] += 1
            self.keys.add(key)
        return DROP if first and number in LOST_WHEN_TAKEN else TAKEN[self.kind]

    def look_up(self, request):
        found = re.search(r"\.(\d+)@", unquote(request.path))
        return 200, {}, (HERE if found and self.taken[int(found[1])] else NOT_HERE).get(self.kind, {})


def make_message(claimed: Claimed) -> Message:
    address = claimed.recipient.email
    named = f"<{claimed.campaign_id}.{claimed.recipient.subscriber_id}@quito.example>"
    content = f"From: brief@quito.example\r\nTo: {address}\r\nMessage-ID: {named}\r\n\r\nHola\r\n".encode()
    return Message(named, "b@quito.example", address, content)


@pytest.mark.parametrize(
    ("kind", "database_url"),
    [*((kind, "sqlite") for kind in KINDS), pytest.param("ses", "postgres", marks=pytest.mark.postgres)],
    indirect=["database_url"],
)
async def test_a_campaign_with_faults_reconciles(kind, database_url):
    """Retries go through, refusals and lost answers are listed by name, what is found is sent, nobody is sent two."""
    stage = Stage(database_url)
    stage.people(PEOPLE)
    campaign = stage.campaign()
    behaviour = Behaviour(kind)
    async with Esp(behaviour, probe=behaviour.look_up).running() as esp:
        for _ in range(6):
            way = transport(kind, esp.url, timeouts=PATIENT)
            result = await stage.sending(campaign, way, make_message=make_message)
            if result.ending is not Ending.RETRIES_LEFT:
                break
            stage.clock.move_on(timedelta(hours=1))
    states = stage.states(campaign)
    lost = set() if kind in KEYED else LOST_UNTAKEN if kind in HERE else LOST_UNTAKEN | LOST_WHEN_TAKEN
    assert {name for name, state in states.items() if state == State.UNCERTAIN} == named(lost)
    assert {name for name, state in states.items() if state == State.REFUSED} == named(REFUSED_ONES)
    assert result.account.sent == PEOPLE - len(REFUSED_ONES) - len(lost)
    assert result.account.reconciled
    assert set(behaviour.taken.values()) == {1}
    assert len(behaviour.taken) == PEOPLE - len(REFUSED_ONES) - (0 if kind in KEYED else len(LOST_UNTAKEN))
    stage.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_limited_pace_puts_nobody_off(database_url):
    """Where two requests of three come too soon for the provider, everybody is sent to in one run all the same."""
    stage = Stage(database_url)
    stage.people(40)
    campaign = stage.campaign()
    too_soon = (429, {"Retry-After": "0.001"}, {})
    async with Esp(lambda _: too_soon if len(esp.posted) % 3 else TAKEN["ses"]).running() as esp:
        result = await stage.sending(campaign, transport("ses", esp.url), make_message=make_message)
    assert (result.ending, result.account.sent, len(esp.posted)) == (Ending.DONE, 40, 120)
    stage.close()


def named(numbers):
    return {f"gads{number}@quito.example" for number in numbers}
