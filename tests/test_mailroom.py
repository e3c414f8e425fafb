"""The mailroom, composed from a config."""

import hmac
import json
import shutil
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from mailer.app import App
from mailer.config import load
from mailer.errors import OperatorError
from mailer.feedback.absorb import Policy, Recorded, absorb
from mailer.feedback.event import Event, Happening
from mailer.feedback.webhook import WebhookRefused
from mailer.testing.clock import FrozenClock

ROOT = Path(__file__).parents[1]
NOW = datetime(2022, 12, 1, 14, tzinfo=UTC)


def compose(folder, more="", **environ):
    shutil.copy(ROOT / "config.toml", folder)
    with (folder / "config.toml").open("a", encoding="utf-8") as file:
        file.write(more)
    return App(load(folder / "config.toml", environ), FrozenClock(NOW))


def call(key):
    stamp, token = str(int(NOW.timestamp())), "t" * 50
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), sha256).hexdigest()
    data = {"event": "complained", "id": "e1", "recipient": "vecina@isp.example"}
    signed = {"timestamp": stamp, "token": token, "signature": signature}
    return json.dumps({"signature": signed, "event-data": data}).encode()


def test_webhook_is_absorbed_once(tmp_path):
    """A signed complaint suppresses its address; the same call again does nothing, a forged one is refused."""
    app = compose(tmp_path, '\n[webhooks.mailgun]\nsigning_key_env = "MAILGUN_KEY"\n', MAILGUN_KEY="k")
    assert app.mailroom.receive_webhook("mailgun", {}, call("k")) == [Recorded.SUPPRESSED]
    assert app.mailroom.receive_webhook("mailgun", {}, call("k")) == [Recorded.KNOWN]
    with pytest.raises(WebhookRefused):
        app.mailroom.receive_webhook("mailgun", {}, call("another key"))
    assert app.mailroom.book.counts() == {"suppressed": 1}
    app.close()


def test_webhook_without_a_table_is_said(tmp_path):
    """A provider that the config doesn't name takes no calls."""
    app = compose(tmp_path)
    with pytest.raises(OperatorError, match=r"webhooks\.resend"):
        app.mailroom.receive_webhook("resend", {}, b"{}")
    app.close()


def test_missing_key_of_a_webhook_is_named(tmp_path):
    """A table without its key is said with the section and the key."""
    app = compose(tmp_path, '\n[webhooks.postmark]\nusername = "brief"\n')
    with pytest.raises(OperatorError, match="password"):
        app.mailroom.receive_webhook("postmark", {}, b"{}")
    app.close()


def test_mailbox_without_a_table_is_said(tmp_path):
    """`mailer bounces --mailbox` without a mailbox in the config says what is missing."""
    app = compose(tmp_path)
    with pytest.raises(OperatorError, match=r"feedback\.mailbox"):
        app.mailroom.collect_mail()
    app.close()


def test_reprocess_leaves_what_it_can_not_prove(tmp_path):
    """Mail that still names no delivery of ours stays, and so does a webhook's call, which can't prove itself twice."""
    app = compose(tmp_path)
    strange = b"From: MAILER-DAEMON@mx.example\nSubject: Undelivered\n\n<ana@lista.example>: 550 5.1.1 user unknown\n"
    assert app.mailroom.take_in(strange) == [Recorded.UNATTRIBUTED]
    call_without_address = [Event("sendgrid:1", Happening.DELIVERED, NOW, "sendgrid", is_vouched=True)]
    absorb(call_without_address, book=app.mailroom.book, policy=Policy(), now=NOW, evidence=b"[]")
    assert app.mailroom.reprocess() == {"unattributed": 1}
    assert app.mailroom.book.counts() == {"unattributed": 2}
    app.close()
