"""Which delivery a mail speaks of."""

import pytest

from mailer.address import Mailbox
from mailer.feedback.mime import read_mail
from mailer.feedback.verp import bounced_delivery, delivery_of_message_id, unsubscribed_delivery
from mailer.messages.letterhead import Letterhead, identity
from mailer.tokens import Signer

SIGNER = Signer(["a secret of the publication"])
LETTERHEAD = Letterhead(
    publication="Brief",
    sender=Mailbox("Brief", "brief@quito.example"),
    reply_to=None,
    list_id="brief.quito.example",
    public_url="https://brief.quito.example",
    bounce_domain="rebotes.quito.example",
)
OURS = identity(LETTERHEAD, SIGNER, 3, 42)


@pytest.mark.parametrize("header", ["Delivered-To", "X-Original-To", "To"])
@pytest.mark.parametrize("fold", [str, str.lower, str.upper])
def test_bounce_address_names_the_delivery(header, fold):
    """The address that a bounce came to names its delivery, whatever became of the case of its letters."""
    assert bounced_delivery(read_mail(f"{header}: <{fold(OURS.sender)}>\n\nx".encode()), SIGNER) == "3-42"


def test_message_id_of_the_returned_message_names_the_delivery():
    """Where the bounce went elsewhere, the Message-ID that it returns says which delivery it was."""
    raw = f"To: postmaster@quito.example\nContent-Type: message/rfc822\n\nMessage-ID: {OURS.message_id}\n\nx"
    assert bounced_delivery(read_mail(raw.encode()), SIGNER) == "3-42"
    assert delivery_of_message_id(OURS.message_id, SIGNER) == "3-42"
    assert delivery_of_message_id(OURS.message_id.strip("<>"), SIGNER) == "3-42"


def test_forged_and_foreign_tokens_name_nothing():
    """A token by another secret, cut, or made for another purpose, names no delivery."""
    for address in (
        identity(LETTERHEAD, Signer(["another"]), 3, 42).sender,
        OURS.sender.replace("3-42", "3-43"),
        OURS.unsubscribe_mail.removeprefix("mailto:u+").join(("b+", "")),
    ):
        assert bounced_delivery(read_mail(f"To: {address}\n\nx".encode()), SIGNER) == ""


def test_mail_to_the_unsubscribe_address_names_the_delivery():
    """A mail to List-Unsubscribe's address is the wish to leave of the delivery's reader."""
    mail = read_mail(f"To: {OURS.unsubscribe_mail.removeprefix('mailto:')}\nSubject: unsubscribe\n\n".encode())
    assert unsubscribed_delivery(mail, SIGNER) == "3-42"
    assert bounced_delivery(mail, SIGNER) == ""
