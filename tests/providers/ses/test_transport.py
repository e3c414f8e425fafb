"""Amazon SES's API v2 as its documentation describes it."""

import re
from base64 import b64decode
from datetime import UTC, datetime

import pytest

from mailer.deliveries.transport import RecipientRefused, Throttled, TransportDown
from mailer.providers.ses.signature import Credentials, Scope, signed_headers
from tests.providers.esp import TAKEN, Esp, a_message, send


def test_the_signature_of_the_published_example():
    """AWS's own example (ListUsers, 2015-08-30) comes out with its own signature."""
    headers = signed_headers(
        Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        Scope("us-east-1", "iam"),
        method="GET",
        path="/",
        query="Action=ListUsers&Version=2010-05-08",
        headers={"Host": "iam.amazonaws.com", "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        content=b"",
        now=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )
    assert headers["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


async def test_the_bytes_travel_signed():
    """The request that arrives is the one that was signed, and holds our message to the octet."""
    message = a_message()
    table = {"configuration_set": "brief", "session_token_env": "SESSION"}
    async with Esp(TAKEN["ses"]).running() as esp:
        await send("ses", esp, message, **table)
    (posted,) = esp.posted
    assert posted.path == "/v2/email/outbound-emails"
    assert posted.json["ConfigurationSetName"] == "brief"
    assert posted.json["Destination"] == {"ToAddresses": ["alcaldia@nabon.example"]}
    assert b64decode(posted.json["Content"]["Raw"]["Data"]) == message.content
    names = re.search("SignedHeaders=([^,]+)", posted.headers["authorization"])[1].split(";")
    assert names == ["content-type", "host", "x-amz-date", "x-amz-security-token"]
    again = signed_headers(
        Credentials("secret of AWS_ACCESS_KEY_ID", "secret of AWS_SECRET_ACCESS_KEY", "secret of SESSION"),
        Scope("sa-east-1", "ses"),
        method=posted.method,
        path=posted.path,
        headers={"Host": posted.headers["host"], "Content-Type": posted.headers["content-type"]},
        content=posted.body,
        now=datetime.strptime(posted.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
    )
    assert again["Authorization"] == posted.headers["authorization"]


@pytest.mark.parametrize(
    ("status", "kind", "words", "family", "wait"),
    [
        (429, "TooManyRequestsException", "Maximum sending rate exceeded.", Throttled, 0),
        (400, "ThrottlingException:http://x/", "Daily message quota exceeded", Throttled, 600),
        (400, "BadRequestException", "Missing final '@domain'", RecipientRefused, 0),
        (400, "BadRequestException", "Illegal address", RecipientRefused, 0),
        (400, "MessageRejected", "Email address is not verified. The following identities failed", TransportDown, 0),
        (400, "AccountSuspendedException", "suspended", TransportDown, 0),
        (400, "SendingPausedException", "paused", TransportDown, 0),
        (403, "SignatureDoesNotMatch", "The request signature we calculated does not match", TransportDown, 0),
        (404, "NotFoundException", "Configuration set <brief> does not exist.", TransportDown, 0),
    ],
)
async def test_kinds_of_error(status, kind, words, family, wait):
    """The kind of error and its words say who is meant."""
    async with Esp((status, {"x-amzn-ErrorType": kind}, {"message": words})).running() as esp:
        with pytest.raises(family) as caught:
            await send("ses", esp)
    assert getattr(caught.value, "retry_after", 0) == wait
