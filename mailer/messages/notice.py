"""
A plain letter that the program writes of itself: an alert to the staff, a word to one reader.

It says that a machine wrote it, so that no vacation notice comes back (RFC 3834).
"""

from collections.abc import Sequence
from datetime import datetime

from mailer.address import Mailbox, domain_of
from mailer.messages import headers
from mailer.messages.dkim import Key, signed
from mailer.messages.letterhead import Letterhead
from mailer.messages.message import Message
from mailer.messages.quoted import quote_text


def write_notice(
    letterhead: Letterhead,
    to: Mailbox,
    *,
    subject: str,
    text: str,
    date: datetime,
    occasion: str,
    keys: Sequence[Key] = (),
) -> Message:
    """
    Write a text-only notice, signed by the keys.

    `occasion` (letters, digits, hyphens, dots) makes its Message-ID, once for each reader.

    Raises:
        Unwritable: The subject or the name holds what no header may.

    """
    message_id = f"<notice-{occasion}@{domain_of(letterhead.sender.address)}>"
    fields = (
        headers.mailbox_field("From", letterhead.sender),
        headers.mailbox_field("To", to),
        headers.text_field("Subject", subject),
        headers.date_field(date),
        headers.raw_field("Message-ID", message_id),
        headers.raw_field("Auto-Submitted", "auto-generated"),
        headers.raw_field("X-Auto-Response-Suppress", "All"),
        headers.raw_field("MIME-Version", "1.0"),
        headers.raw_field("Content-Type", 'text/plain; charset="utf-8"'),
        headers.raw_field("Content-Transfer-Encoding", "quoted-printable"),
        b"\r\n",
    )
    return Message(
        message_id=message_id,
        sender=letterhead.sender.address,
        recipient=headers.wire_address(to.address),
        content=signed(b"".join(fields) + quote_text(text.rstrip("\n") + "\n"), keys),
    )
