"""The whole loop: a campaign goes out by a mail server, its bounces come back, and what should follow follows."""

import email
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailer.testing.faults import Fault
from mailer.testing.sink import SmtpSink
from tests import postfix
from tests.publication import Publication

DOMAIN = "rebotes.quito.example"
# What the readers' servers answer.
ANSWERS = {
    "leida@lista.example": "",
    "nadie@lista.example": "550 5.1.1 user unknown",
    "llena@lista.example": "552 5.2.2 mailbox full",
    "lejos@lista.example": "550 5.4.4 the domain does not exist",
    "filtrada@lista.example": "554 5.7.1 rejected by our spam filter",
}
REPORT = """From: Mail Delivery System <MAILER-DAEMON@mx.quito.example>
To: {sender}
Delivered-To: {sender}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_r"

--=_r
Content-Type: text/plain

<{recipient}>: {reply}

--=_r
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.quito.example

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {reply}

--=_r
Content-Type: message/rfc822

{original}
--=_r--
"""


@contextmanager
def by_postfix(folder: Path):
    """Postfix, which relays to the readers' server, and returns what that refuses."""
    faults = [Fault("rcpt", reply=reply, address=address) for address, reply in ANSWERS.items() if reply]
    sink = SmtpSink(faults=faults)
    with sink.in_thread(), postfix.running(DOMAIN, sink.port) as (port, returned):
        yield port, returned


@contextmanager
def by_our_own(folder: Path):
    """Our own server, which takes everything, and writes a delivery status notification where Postfix would."""
    returned = folder / "returned"
    returned.mkdir()

    def bounce(accepted):
        (recipient,) = accepted.recipients
        if reply := ANSWERS[recipient]:
            original = accepted.content.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n")
            told = {"sender": accepted.sender, "recipient": recipient, "reply": reply, "status": reply.split()[1]}
            report = REPORT.format(**told, original=original)
            (returned / f"{len(list(returned.iterdir()))}.eml").write_text(report, encoding="utf-8")

    sink = SmtpSink(on_message=bounce)
    with sink.in_thread():
        yield sink.port, returned


@pytest.fixture(params=[by_postfix, by_our_own])
def post(request, tmp_path):
    """A mail server's port, and where what it returns arrives."""
    if request.param is by_postfix and not postfix.IS_HERE:
        pytest.skip("no Postfix here that we may start (Debian: postfix, as root)")
    with request.param(tmp_path) as (port, returned):
        yield port, returned


def test_bounces_find_their_delivery_and_change_what_they_should(post, tmp_path_factory):
    """Hard bounces suppress for good, soft ones and refusals of us don't; what is read twice counts once."""
    port, returned = post
    publication = Publication.small(tmp_path_factory.mktemp("publication"))
    publication.send_over_smtp(port)
    publication.run("subscribers", "import", str(publication.write_list(*ANSWERS)), "--segment", "gads")
    publication.run("approve", "2022-11", "--by", "Dirección")
    publication.run("send", "2022-11", "--segment", "gads", "--yes")
    mails = wait_for(returned, 4)
    assert publication.json("bounces", str(returned)) == {"recorded": 2, "suppressed": 2}
    assert publication.json("bounces", *map(str, mails)) == {"known": 4}
    listed = publication.json("feedback", "list")
    assert {(one["address"], one["reason"], one["hard"], one["outcome"]) for one in listed["events"]} == {
        ("nadie@lista.example", "unknown_user", True, "suppressed"),
        ("lejos@lista.example", "unknown_host", True, "suppressed"),
        ("llena@lista.example", "mailbox_full", False, "recorded"),
        ("filtrada@lista.example", "content", False, "recorded"),
    }
    assert all(one["campaign_id"] == 1 for one in listed["events"])
    number = str(listed["events"][0]["id"])
    assert "MAILER-DAEMON" in publication.json("feedback", "show", number)["evidence"]
    explained = publication.json("bounces", "--explain", *map(str, mails))
    assert {one["recipients"][0]["address"] for one in explained} == ANSWERS.keys() - {"leida@lista.example"}


def wait_for(folder: Path, number: int) -> list[Path]:
    """The mails that have come, once there are so many."""
    deadline = time.monotonic() + 60
    mails: list[Path] = []
    while len(mails) < number and time.monotonic() < deadline:
        time.sleep(0.1)
        mails = [path for path in folder.rglob("*") if path.is_file() and "tmp" not in path.parts[-2]]
    assert [bool(email.message_from_bytes(path.read_bytes())) for path in mails] == [True] * number
    return mails
