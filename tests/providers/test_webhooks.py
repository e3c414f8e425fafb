"""Webhooks: calls signed as each provider documents, and what must not be believed."""

import json
from datetime import timedelta

import msgspec
import pytest

from mailer.errors import OperatorError
from mailer.feedback.absorb import Policy, Recorded, TokenSpent, absorb
from mailer.feedback.event import Happening
from mailer.feedback.reason import Reason
from mailer.feedback.webhook import MAX_BODY, WebhookRefused
from mailer.providers.ses.webhook import Confirmation
from mailer.providers.webhooks import PROVIDERS, keys_of, receive
from mailer.storage.database import Database
from mailer.storage.feedback import SqlFeedbackBook
from mailer.testing.clock import FrozenClock
from mailer.tokens import Signer
from tests.databases import empty_books
from tests.providers.calls import (
    ADDRESS,
    BASIC,
    HARD,
    NOW,
    OTHER_KEY,
    OURS,
    TABLES,
    certificate,
    mailgun,
    resend,
    sendgrid,
    ses,
)

MAIL = {"destination": [ADDRESS]}
LEFT = {"unsubscribeAll": True}
POSTMARK_LEFT = {
    "RecordType": "SubscriptionChange",
    "SuppressSending": True,
    "SuppressionReason": "ManualSuppression",
    "Origin": "Recipient",
}


def take(provider, call, *, now=NOW):
    return receive(provider, *call, now, keys=keys_of(provider, TABLES[provider]))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_hard_bounce(provider):
    """A signed hard bounce becomes one event, vouched for, with our Message-ID, the reason and the time."""
    (event,) = take(provider, HARD[provider])
    assert (event.happening, event.hard, event.reason) == (Happening.BOUNCED, True, Reason.UNKNOWN_USER)
    assert (event.address, event.message_id.strip("<>"), event.at) == (ADDRESS, OURS.strip("<>"), NOW)
    assert event.is_vouched
    assert event.source == provider


@pytest.mark.parametrize("provider", PROVIDERS)
def test_same_call_gives_the_same_event(provider):
    """A call that the provider repeats holds the event of the same id."""
    assert take(provider, HARD[provider]) == take(provider, HARD[provider])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_forged_calls_are_refused(provider):
    """A call whose headers, or whose signature in the body, are another's is refused."""
    headers, body = HARD[provider]
    forged = {name: value[:-6] + "AAAAA=" if len(value) > 20 else value for name, value in headers.items()}
    if provider == "mailgun":
        body = body.replace(b'"token": "tt', b'"token": "xx')
    if provider == "ses":
        body = body.replace(b"nabon", b"otra5")
    with pytest.raises(WebhookRefused):
        take(provider, (forged, body))


@pytest.mark.parametrize("provider", ["sendgrid", "resend"])
def test_changed_bodies_are_refused(provider):
    """One byte more in a signed body, and it is refused: the signature is over the raw bytes."""
    headers, body = HARD[provider]
    with pytest.raises(WebhookRefused):
        take(provider, (headers, body + b" "))


@pytest.mark.parametrize("provider", ["sendgrid", "mailgun", "resend", "ses"])
def test_stale_calls_are_refused(provider):
    """A call that was signed long ago is refused, however well it is signed."""
    with pytest.raises(WebhookRefused):
        take(provider, HARD[provider], now=NOW + timedelta(days=2))
    with pytest.raises(WebhookRefused):
        take(provider, HARD[provider], now=NOW - timedelta(days=2))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_rubbish_is_refused_and_never_raises_otherwise(provider):
    """Bodies that are no JSON, of a wrong shape or too large are refused, and so are calls without headers."""
    headers, _ = HARD[provider]
    for body in (b"", b"{", b"[]", b"null", b'"x"', b"[" * 100_000, b"\xff\xfe", b"{}" + b" " * MAX_BODY):
        for given in ({}, headers):
            assert answer(provider, given, body) in {200, 400, 401, 406, 413}


def answer(provider, headers, body):
    try:
        take(provider, (headers, body))
    except WebhookRefused as refused:
        return refused.status
    return 200


@pytest.mark.parametrize(
    "stamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", 253402300799, -1e300, "soon"]
)
def test_an_impossible_time_is_now(stamp):
    """What happened before there was such mail, or in another age, happened when it was told."""
    record = json.loads(HARD["postmark"][1]) | {"BouncedAt": stamp}
    (event,) = take("postmark", (BASIC, json.dumps(record).encode()))
    assert event.at == NOW


def test_recipients_that_are_no_list_are_nobody():
    """SES lists its recipients: a text in their place isn't read letter by letter."""
    bounce = {"bounceType": "Permanent", "bouncedRecipients": ADDRESS}
    assert take("ses", ses({"eventType": "Bounce", "mail": MAIL, "bounce": bounce})) == []


@pytest.mark.parametrize(
    "address", ["a\0b@nabon.example", "x" * 5000 + "@nabon.example", "\0", "İ" * 310 + "@nabon.example"]
)
def test_what_no_book_can_hold_is_left_out(address, database):
    """A NUL, or what is too long to be an address, is recorded without it, in either database."""
    book = SqlFeedbackBook(database, FrozenClock(NOW), Signer(["s"]))
    odd = {"Email": address, "ID": "\0 7", "Details": "550 5.1.1\0 no such user", "MessageID": "\0", "Metadata": {}}
    record = json.loads(HARD["postmark"][1]) | odd
    events = take("postmark", (BASIC, json.dumps(record).encode()))
    absorb(events, book=book, policy=Policy(), now=NOW)
    assert absorb(events, book=book, policy=Policy(), now=NOW) == [Recorded.KNOWN]
    assert "\0" not in "".join(map(str, book.entries()))


@pytest.mark.parametrize("provider", ["ses", "resend"])
def test_ids_of_any_length_are_kept(provider):
    """An event's id fits the book, however long the provider's own is."""
    named = "x" * 3000
    call = ses({"eventType": "Delivery", "delivery": {"recipients": [ADDRESS]}}, MessageId=named)
    if provider == "resend":
        call = resend({"type": "email.delivered", "data": {"to": [ADDRESS]}}, named=named)
    (event,) = take(provider, call)
    assert len(event.id) <= 200


@pytest.mark.parametrize("provider", ["sendgrid", "mailjet"])
def test_many_at_once_are_recorded_each_with_its_own_part(provider, tmp_path):
    """A call of many events becomes as many entries, and each keeps no more of the call than speaks of it."""
    database = Database(empty_books(tmp_path / "m.db"))
    book = SqlFeedbackBook(database, FrozenClock(NOW), Signer(["s"]))
    one = json.loads(HARD[provider][1])[0]
    many = [one | {"email": f"p{number}@nabon.example", "sg_event_id": str(number)} for number in range(250)]
    call = sendgrid(many) if provider == "sendgrid" else (BASIC, json.dumps(many).encode())
    outcomes = absorb(take(provider, call), book=book, policy=Policy(), now=NOW, evidence=call[1])
    assert outcomes == [Recorded.SUPPRESSED] * 250
    entry, evidence = book.entry(7)
    assert entry.address == "p6@nabon.example"
    assert json.loads(evidence) == many[6]
    database.close()


def test_token_of_mailgun_is_good_once(tmp_path):
    """Mailgun's signature doesn't cover the event: a token seen once signs nothing more."""
    database = Database(empty_books(tmp_path / "m.db"))
    book = SqlFeedbackBook(database, FrozenClock(NOW), Signer(["s"]))
    absorb(take("mailgun", HARD["mailgun"]), book=book, policy=Policy(), now=NOW)
    forged = HARD["mailgun"][1].replace(ADDRESS.encode(), b"embajada@otra.example").replace(b'"e1"', b'"e2"')
    with pytest.raises(TokenSpent):
        absorb(take("mailgun", ({}, forged)), book=book, policy=Policy(), now=NOW)
    assert absorb(take("mailgun", HARD["mailgun"]), book=book, policy=Policy(), now=NOW) == [Recorded.KNOWN]
    assert sum(book.counts().values()) == 1
    database.close()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_replayed_call_changes_nothing(provider, tmp_path):
    """A call that is sent a second time, by the provider or by whoever saw it, is known and leaves every row alone."""
    database = Database(empty_books(tmp_path / "m.db"))
    book = SqlFeedbackBook(database, FrozenClock(NOW), Signer(["s"]))
    assert absorb(take(provider, HARD[provider]), book=book, policy=Policy(), now=NOW) == [Recorded.SUPPRESSED]
    kept = book.entries()
    assert absorb(take(provider, HARD[provider]), book=book, policy=Policy(), now=NOW) == [Recorded.KNOWN]
    assert book.entries() == kept
    database.close()


def test_token_is_spent_only_with_its_event(tmp_path):
    """A call that could not be recorded hasn't used up its token: Mailgun's repetition of it counts."""
    database = Database(f"sqlite:///{tmp_path}/m.db")
    database.upgrade()
    book = SqlFeedbackBook(database, FrozenClock(NOW), Signer(["s"]))
    (event,) = take("mailgun", HARD["mailgun"])
    unrecordable = msgspec.structs.replace(event, status=None)
    with pytest.raises(TypeError):
        absorb([unrecordable], book=book, policy=Policy(), now=NOW)
    assert absorb([event], book=book, policy=Policy(), now=NOW) == [Recorded.SUPPRESSED]
    database.close()


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_signatures_of_sns_are_read(version):
    """Signature versions 1 and 2 of SNS are checked by the certificate that was set up, not by the one named."""
    message = {
        "notificationType": "Complaint",
        "mail": {},
        "complaint": {"complainedRecipients": [{"emailAddress": ADDRESS}]},
    }
    (event,) = take("ses", ses(message, version=version))
    assert event.happening is Happening.COMPLAINED


@pytest.mark.parametrize(
    "url",
    [
        "https://attacker.example/cert.pem",
        "https://sns.us-east-1.amazonaws.com.attacker.example/cert.pem",
        "https://sns.us-west-2.amazonaws.com/cert.pem",
        "http://sns.us-east-1.amazonaws.com/cert.pem",
        "https://sns.us-east-1.amazonaws.com@attacker.example/cert.pem",
        "",
    ],
)
def test_certificate_of_another_host_is_refused(url):
    """A call that names a certificate elsewhere than at SNS in the topic's region is refused, however well signed."""
    with pytest.raises(WebhookRefused, match="none of SNS"):
        take("ses", ses({}, SigningCertURL=url))


def test_certificates_are_renewed_without_a_gap():
    """The old certificate and the new one stand in one file; one that has run out is not believed."""
    pair = {**TABLES["ses"], "certificate": certificate(key=OTHER_KEY) + certificate()}
    assert receive("ses", *HARD["ses"], NOW, keys=keys_of("ses", pair))
    with pytest.raises(WebhookRefused, match="SimpleNotificationService-0a1b"):
        receive("ses", *HARD["ses"], NOW, keys=keys_of("ses", {**pair, "certificate": certificate(key=OTHER_KEY)}))
    late = NOW + timedelta(days=3)
    with pytest.raises(WebhookRefused, match="none of the certificates"):
        take("ses", ses({}, at=late), now=late)


def test_topic_of_strangers_is_refused():
    """A well-signed call of a topic that isn't ours is refused."""
    with pytest.raises(WebhookRefused, match="topic"):
        take("ses", ses({}, topic="arn:aws:sns:us-east-1:111111111111:other"))


def test_subscription_waits_for_a_person():
    """A request to confirm a subscription fetches nothing and says where a person confirms."""
    call = ses({}, Type="SubscriptionConfirmation", SubscribeURL="https://sns.example/confirm", Token="t")
    with pytest.raises(Confirmation) as asked:
        take("ses", call)
    assert asked.value.url == "https://sns.example/confirm"


@pytest.mark.parametrize(
    ("provider", "call", "happening"),
    [
        ("sendgrid", sendgrid([{"event": "spamreport", "sg_event_id": "2", "email": ADDRESS}]), Happening.COMPLAINED),
        ("sendgrid", sendgrid([{"event": "group_unsubscribe", "sg_event_id": "3"}]), Happening.UNSUBSCRIBED),
        ("mailgun", mailgun({"event": "failed", "severity": "temporary", "id": "4"}), Happening.DEFERRED),
        ("mailgun", mailgun({"event": "complained", "id": "5"}), Happening.COMPLAINED),
        ("resend", resend({"type": "email.delivery_delayed", "data": {"to": [ADDRESS]}}), Happening.DEFERRED),
        ("postmark", (BASIC, b'{"RecordType": "SpamComplaint", "ID": 1}'), Happening.COMPLAINED),
        ("postmark", (BASIC, b'{"RecordType": "Bounce", "Type": "AutoResponder", "ID": 1}'), Happening.ANSWERED),
        ("postmark", (BASIC, json.dumps(POSTMARK_LEFT).encode()), Happening.UNSUBSCRIBED),
        ("brevo", (BASIC, b'{"event": "spam"}'), Happening.COMPLAINED),
        ("ses", ses({"eventType": "Reject", "reject": {"reason": "Bad content"}, "mail": MAIL}), Happening.BOUNCED),
        (
            "ses",
            ses({"eventType": "Subscription", "mail": MAIL, "subscription": {"newTopicPreferences": LEFT}}),
            Happening.UNSUBSCRIBED,
        ),
        ("resend", resend({"type": "email.suppressed", "data": {"to": [ADDRESS]}}), Happening.BOUNCED),
        ("mailjet", (BASIC, b'{"event": "unsub"}'), Happening.UNSUBSCRIBED),
    ],
)
def test_vocabulary(provider, call, happening):
    """Each provider's words come down to one vocabulary."""
    assert [event.happening for event in take(provider, call)] == [happening]


@pytest.mark.parametrize(
    ("provider", "call"),
    [
        ("postmark", (BASIC, json.dumps(POSTMARK_LEFT | {"SuppressionReason": "HardBounce"}).encode())),
        ("postmark", (BASIC, json.dumps(POSTMARK_LEFT | {"SuppressSending": False}).encode())),
        ("ses", ses({"eventType": "Subscription", "mail": MAIL, "subscription": {"newTopicPreferences": {}}})),
        (
            "ses",
            ses({"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam",
                 "complainedRecipients": [{"emailAddress": ADDRESS}]}}),
        ),
        ("sendgrid", sendgrid([{"event": "processed", "email": ADDRESS}])),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_wish_or_a_complaint(provider, call):
    """A bounce that changes a provider's list, a reader who comes back, "not spam" and what is under way do nothing."""
    assert take(provider, call) == []


def test_events_without_a_name_are_told_apart():
    """Two events to which the provider gave no id both count, and each once."""
    nameless = [{"event": "open", "email": ADDRESS}, {"event": "click", "email": ADDRESS}]
    first, second = take("sendgrid", sendgrid(nameless))
    assert first.id != second.id
    assert [first, second] == take("sendgrid", sendgrid(nameless))


def test_blocks_are_not_hard():
    """A provider's "blocked", or its "permanent" for a blocklist, is no verdict on the address."""
    (event,) = take("sendgrid", sendgrid([{"event": "bounce", "type": "blocked", "reason": "554 blocked by a filter"}]))
    assert not event.hard
    call = (BASIC, json.dumps({"RecordType": "Bounce", "Type": "HardBounce", "Details": "554 5.7.1 spamhaus"}).encode())
    (event,) = take("postmark", call)
    assert (event.hard, event.reason) == (False, Reason.REPUTATION)


def test_unknown_provider_and_keys_are_the_operators():
    """A provider that isn't known, or a key that isn't, is said to the operator."""
    with pytest.raises(OperatorError, match="brevo, mailgun"):
        keys_of("pigeon", {})
    with pytest.raises(msgspec.ValidationError):
        keys_of("mailgun", {"signing_key": "x", "speed": 1})
