"""
The letters that the pages send: a confirmation, a word to who is a reader already, a link to one's own data.

They carry nothing that a stranger typed, so that nobody can write to others through our forms, and say that a machine
wrote them (RFC 3834), so that no vacation notice comes back.
"""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from mailer.address import Mailbox, domain_of
from mailer.language import words
from mailer.messages.headers import wire_address
from mailer.messages.message import Message
from mailer.storage.notices import Notice
from mailer.web import tickets
from mailer.web.desk import Desk
from mailer.web.speech import marked

_POLICY = SMTP.clone(cte_type="7bit")
_SUBJECTS = {
    "confirm": marked("Confirme su suscripción"),
    "known": marked("Ya recibe nuestro boletín"),
    "mine": marked("Su enlace para ver y cambiar sus datos"),
}


def write(desk: Desk, notice: Notice) -> Message:
    """
    The message that a notice asks for, signed as the publication's own.

    Raises:
        ValueError: No message can be written to this address.

    """
    now = desk.clock.now()
    publication = desk.house.config.publication
    sender = Mailbox.parse(publication.from_)
    message_id = f"<letter-{notice.id}.{notice.tries}@{domain_of(sender.address)}>"
    recipient = wire_address(notice.email)
    if not recipient.isascii():  # it would need SMTPUTF8 in the header, and all that is written here is 7-bit
        raise ValueError("a letter can't be addressed outside ASCII")
    letter = EmailMessage(_POLICY)
    letter["From"] = str(sender)
    letter["To"] = recipient
    letter["Reply-To"] = publication.reply_to
    letter["Subject"] = f"{words(notice.language)(_SUBJECTS[notice.kind])} · {publication.name}"
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = message_id
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    values = {"link": _link(desk, notice, now), "kind": notice.kind}
    letter.set_content(desk.letters.text("letter.txt", notice.language, **values), cte="quoted-printable")
    letter.add_alternative(
        desk.letters.text("letter.html", notice.language, **values), subtype="html", cte="quoted-printable"
    )
    content = desk.house.signed(_without_dots(letter.as_bytes()))
    return Message(message_id=message_id, sender=sender.address, recipient=recipient, content=content)


def _link(desk: Desk, notice: Notice, now: datetime) -> str:
    if notice.kind == "confirm":
        path = f"c/{tickets.confirm_token(desk.signer, notice.about)}"
    elif notice.kind == "mine":
        path = f"m/{tickets.mine_token(desk.signer, notice.about, now)}"
    else:
        path = f"p/{tickets.preferences_token(desk.signer, notice.about)}"
    return f"{desk.house.config.publication.public_url.rstrip('/')}/{path}"


def _without_dots(content: bytes) -> bytes:
    """Encode every dot that opens a line (quoted-printable, with a soft break behind it)."""
    while b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n=2E=\r\n")
    return content
