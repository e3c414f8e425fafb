"""A provider's calls, through the whole application: what is recorded, what is refused, what is never done."""

import hmac
import json
import socket
from base64 import b64encode
from datetime import datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from mailer.app import App
from mailer.web.application import create
from mailer.web.webhooks import WEBHOOK_BYTES
from tests.web.conftest import READERS, START, books, enrol, publish

READER = READERS[0][0]
TOPIC = "arn:aws:sns:us-east-1:000000000000:brief"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate() -> str:
    """A certificate for `RSA_KEY`, as SNS has one."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.example")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(RSA_KEY.public_key())
    built = built.serial_number(1).not_valid_before(START).not_valid_after(START + timedelta(days=1))
    return built.sign(RSA_KEY, SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.fixture
def house(tmp_path, clock, monkeypatch):
    """A publication that hears from Mailgun and SES."""
    monkeypatch.setenv("MAILGUN_KEY", "mailgun key")
    path = publish(tmp_path)
    with path.open("a", encoding="utf-8") as file:
        file.write('\n[webhooks.mailgun]\nsigning_key_env = "MAILGUN_KEY"\n')
        file.write(f'\n[webhooks.ses]\ntopics = ["{TOPIC}"]\ncertificate = """{certificate()}"""\n')
    house = App.load(path)
    house.clock = clock
    for reader in READERS:
        enrol(house, *reader)
    yield house
    house.close()


@pytest.fixture
async def provider(house):
    """Somebody who calls the webhooks."""
    transport = httpx.ASGITransport(app=create(house), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://pages.example") as client:
        yield client


def mailgun(*, key: str = "mailgun key", at: datetime = START, token: str = "t" * 50) -> bytes:
    """A complaint of the first reader, as Mailgun signs it."""
    stamp = str(int(at.timestamp()))
    signed = {
        "timestamp": stamp,
        "token": token,
        "signature": hmac.new(key.encode(), f"{stamp}{token}".encode(), "sha256").hexdigest(),
    }
    data = {"event": "complained", "id": "e1", "timestamp": at.timestamp(), "recipient": READER}
    return json.dumps({"signature": signed, "event-data": data}).encode()


def ses(*, at: datetime = START, forged: bool = False, **more: str) -> bytes:
    """A complaint of the first reader, as SNS signs it."""
    complaint = {"complainedRecipients": [{"emailAddress": READER}], "timestamp": "2026-11-30T14:00:00Z"}
    envelope = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": json.dumps({"eventType": "Complaint", "complaint": complaint}),
        "Timestamp": f"{at:%Y-%m-%dT%H:%M:%S.000Z}",
        "SignatureVersion": "2",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
    } | more
    names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    canonical = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
    signature = RSA_KEY.sign(canonical.encode(), padding.PKCS1v15(), SHA256())
    envelope["Signature"] = b64encode(signature).decode()
    if forged:
        envelope["Message"] = envelope["Message"].replace(READER, READERS[1][0])
    return json.dumps(envelope).encode()


CALLS = {"mailgun": mailgun, "ses": ses}
FORGED = {"mailgun": mailgun(key="another key"), "ses": ses(forged=True)}


@pytest.mark.parametrize("name", CALLS)
async def test_call_is_recorded_before_it_is_answered(house, provider, name: str) -> None:
    """A complaint is answered with 204, and by then it is in the book and its address suppressed."""
    answer = await provider.post(f"/webhooks/{name}", content=CALLS[name]())
    assert (answer.status_code, answer.content) == (204, b"")
    assert house.mailroom.book.counts() == {"suppressed": 1}
    assert [row.reason for row in books(house)["suppressions"]] == ["complaint"]


@pytest.mark.parametrize("name", CALLS)
async def test_forged_call_is_refused(house, provider, name: str) -> None:
    """A call with a wrong signature, or none, is refused without a word and changes nothing."""
    before = books(house)
    for body in (FORGED[name], b"{}", b"", b"[1]", b"\xff\xfe", b'{"signature": 3}'):
        answer = await provider.post(f"/webhooks/{name}", content=body)
        assert answer.status_code in {400, 401}
        assert answer.content == b""
    assert books(house) == before


@pytest.mark.parametrize("name", CALLS)
async def test_stale_call_is_refused(house, provider, name: str) -> None:
    """A call signed long ago, or in the future, is refused."""
    before = books(house)
    for at in (START - timedelta(hours=25), START + timedelta(hours=25)):
        assert (await provider.post(f"/webhooks/{name}", content=CALLS[name](at=at))).status_code == 401
    assert books(house) == before


@pytest.mark.parametrize("name", CALLS)
async def test_replayed_call_counts_once(house, provider, name: str) -> None:
    """The same call again is answered as the first was, and counts once."""
    for _ in range(2):
        assert (await provider.post(f"/webhooks/{name}", content=CALLS[name]())).status_code == 204
    assert house.mailroom.book.counts() == {"suppressed": 1}


async def test_altered_call_under_a_used_token_is_refused(house, provider) -> None:
    """Mailgun signs time and token alone: another event under a token that was used changes nothing."""
    await provider.post("/webhooks/mailgun", content=mailgun())
    before = books(house)
    altered = mailgun().replace(READER.encode(), READERS[1][0].encode()).replace(b'"e1"', b'"e2"')
    assert (await provider.post("/webhooks/mailgun", content=altered)).status_code == 406
    assert books(house) == before


async def test_confirmation_is_told_and_never_fetched(house, provider) -> None:
    """SNS's wish to be confirmed is logged for a person; nobody opens the address it names."""
    before = books(house)
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.3)
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/confirm"
        body = ses(Type="SubscriptionConfirmation", Token="t", SubscribeURL=url)
        with capture_logs() as logs:
            answer = await provider.post("/webhooks/ses", content=body)
        assert answer.status_code == 202
        with pytest.raises(TimeoutError):
            trap.accept()
    assert [entry["url"] for entry in logs if entry["action"] == "webhook-confirmation"] == [url]
    assert books(house) == before


async def test_no_log_names_an_address(provider) -> None:
    """Neither what was recorded nor what was refused puts a reader's address into the log."""
    with capture_logs() as logs:
        await provider.post("/webhooks/ses", content=ses())
        await provider.post("/webhooks/ses", content=ses(forged=True))
    assert len(logs) == 2
    assert "@" not in repr(logs)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_only_a_post_counts(house, provider, method: str) -> None:
    """A webhook opened in any other way changes nothing."""
    before = books(house)
    answer = await provider.request(method, "/webhooks/ses", content=ses())
    assert answer.status_code == 405
    assert books(house) == before


@pytest.mark.parametrize("name", ["resend", "nobody", "SES", "ses/more"])
async def test_unknown_provider_is_nowhere(provider, name: str) -> None:
    """A provider that the config doesn't name has no webhook."""
    assert (await provider.post(f"/webhooks/{name}", content=ses())).status_code == 404


async def test_limit_is_the_routes_own(house, provider) -> None:
    """A call may be larger than a form, and no larger than the limit, announced or not."""

    async def pieces():
        for _ in range(WEBHOOK_BYTES // 65536 + 1):
            yield b" " * 65536

    fits = ses().rstrip(b"}") + b" " * 500_000 + b"}"
    assert (await provider.post("/webhooks/ses", content=fits)).status_code == 204
    assert (await provider.post("/webhooks/ses", content=b" " * (WEBHOOK_BYTES + 1))).status_code == 413
    assert (await provider.post("/webhooks/ses", content=pieces())).status_code == 413
    assert (await provider.post("/subscribe", data={"name": "x" * 100_000})).status_code == 413
    assert house.mailroom.book.counts() == {"suppressed": 1}


async def test_what_cannot_be_recorded_is_asked_for_again(house, provider) -> None:
    """While the set-up is wrong the provider hears 503 and comes again; then the call is recorded."""
    table = house.config.webhooks["mailgun"]
    table["nonsense"] = "x"
    assert (await provider.post("/webhooks/mailgun", content=mailgun())).status_code == 503
    assert house.mailroom.book.counts() == {}
    del table["nonsense"]
    assert (await provider.post("/webhooks/mailgun", content=mailgun())).status_code == 204
    assert house.mailroom.book.counts() == {"suppressed": 1}
