"""Understanding returned mail."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.feedback.finding import Kind, judge
from mailer.feedback.understand import understand

SAMPLES = Path(__file__).parent / "samples"


def _expected():
    table = {}
    for line in (SAMPLES / "expected.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, kind, *recipient = line.split()
            table.setdefault((name, kind), set()).update({tuple(recipient)} if recipient else ())
    return table


@pytest.mark.parametrize(("named", "recipients"), _expected().items(), ids=[name for name, _ in _expected()])
def test_samples(named, recipients):
    """Each sample, in the form of a server in wide use, is understood: kind, recipients, reasons, hard or soft."""
    name, kind = named
    understood = understand((SAMPLES / f"{name}.eml").read_bytes())
    found = {(one.address, str(one.reason), "hard" if one.hard else "soft") for one in understood.recipients}
    assert (str(understood.kind), found) == (kind, recipients)


_REPLIES = [
    line.split(maxsplit=2) for line in (SAMPLES.parent / "replies.txt").read_text().splitlines() if line[0] != "#"
]


def test_replies():
    """What servers answer, in the languages of our readers' providers, is hard or soft for the right reason."""
    judged = [(judge("ana@gad.example", diagnosis=reply), reply) for _, _, reply in _REPLIES]
    assert [["hard" if one.hard else "soft", str(one.reason), reply] for one, reply in judged] == _REPLIES


@pytest.mark.parametrize(
    "subject",
    [
        "Respuesta automática: Brief", "Ausente de la oficina", "Automatic reply: Undeliverable: Brief",
        "Resposta automática: Brief", "Réponse automatique : Brief", "Abwesenheitsnotiz", "Risposta automatica: Brief",
        "Automatisch antwoord: Brief", "Autosvar: Brief", "Odpowiedź automatyczna: Brief",
        "Автоматический ответ: Brief", "自動応答: Brief", "自动回复: Brief", "자동 회신: Brief", "رد تلقائي: Brief",
    ],
)  # fmt: skip
def test_who_is_away(subject):
    """An automatic answer is known by its subject alone, in whatever language, and is no bounce whatever it says."""
    raw = f"From: Ana <ana@gad.example>\nSubject: {subject}\n\n550 5.1.1 user unknown, mailbox disabled".encode()
    understood = understand(raw)
    assert understood.kind is Kind.VACATION
    assert [(one.address, one.hard) for one in understood.recipients] == [("ana@gad.example", False)]


def test_message_id_of_the_returned_message_is_found():
    """The Message-ID of the message of ours that came back is given, to find its delivery by."""
    raw = (SAMPLES / "postfix-unknown-user.eml").read_bytes()
    assert understand(raw).message_id == "<20221130.1@relaciones.quito.example>"


@pytest.mark.parametrize("action", ["failed", "Failed", "failed (5.1.1)"])
def test_action_never_makes_it_hard(action):
    """A queue that gave up says failed too, and is soft."""
    raw = (SAMPLES / "sendmail-queue-gave-up.eml").read_text().replace("Action: failed", f"Action: {action}").encode()
    assert [one.hard for one in understand(raw).recipients] == [False]


@pytest.mark.parametrize(
    ("named", "hard"), [("rebotes@rebotes.quito.example", False), ("alcaldia@nabon.example", True)]
)
def test_a_reply_about_the_sender_is_not_about_the_recipient(named, hard):
    """An unknown user that is our own address says nothing of the recipient, whatever the status."""
    raw = (SAMPLES / "postfix-unknown-user.eml").read_text()
    told = re.sub(r"(?m)^Diagnostic-Code: .*(\n[ \t].*)*", f"Diagnostic-Code: smtp; 550 <{named}> unknown user", raw)
    assert [one.hard for one in understand(told.encode()).recipients] == [hard]


_BYTES = [path.read_bytes() for path in sorted(SAMPLES.glob("*.eml"))]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(_BYTES), st.data())
def test_cut_and_broken_mail_never_raises(raw, data):
    """A mail cut anywhere, with any bytes put in, is still answered."""
    cut = data.draw(st.integers(0, len(raw)))
    rubbish = data.draw(st.binary(max_size=60))
    at = data.draw(st.integers(0, cut))
    assert understand(raw[:at] + rubbish + raw[at:cut]).kind in Kind


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_answered(raw):
    """Bytes that are no mail at all are of kind none, or whatever they resemble, without an exception."""
    assert understand(raw).kind in Kind


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "body",
    [
        b"<a@b.example>:\n" * 60_000,
        b"\n" * 900_000,
        b"a" * 900_000,
        b"user " * 180_000,
        b"=?a?q?x" * 120_000,
        b"<" * 900_000,
    ],
    ids=["addresses", "blanks", "letters", "words", "encoded", "brackets"],
)
@pytest.mark.parametrize("type_", [b"text/plain", b"text/html", b"message/delivery-status"])
def test_hostile_bulk_is_answered_in_time(type_, body):
    """A megabyte made to keep patterns busy costs seconds at most."""
    head = (
        b"From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail\nReturn-Path: <>\nContent-Type: " + type_ + b"\n\n"
    )
    assert understand(head + body).kind in Kind


def test_deep_nesting_is_answered():
    """Parts within parts without end don't exhaust the stack."""
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(5_000)
    )
    assert understand(nested).kind is Kind.NONE
    assert understand(b"Content-Type: message/rfc822\n\n" * 5_000).kind is Kind.NONE


@pytest.mark.parametrize("charset", ["", "no-such-charset", "utf-7", "idna", "utf-16", "hex", '"'])
def test_strange_charsets_are_read(charset):
    """A charset that nobody knows, or that is none, doesn't hide the words."""
    raw = (SAMPLES / "qmail-unknown-user.eml").read_bytes().replace(b"charset=utf-8", b"charset=" + charset.encode())
    assert understand(raw).kind is Kind.BOUNCE
