"""
A message taken apart into the fields of an API that builds messages itself.

Text, HTML and our own header fields travel; our DKIM signature can't, because the API writes the bytes anew, and the
API sets sender address of the envelope, date and encodings by itself.
"""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Final

import msgspec

from mailer.deliveries.transport import TransportDown
from mailer.messages.message import Message

_TAKEN_APART: Final = frozenset({"from", "to", "reply-to", "subject", "date", "message-id", "dkim-signature"})


class Person(msgspec.Struct, frozen=True):
    """
    A mailbox of a header field; as text, its name is quoted and in Unicode, as JSON can carry it.

    >>> str(Person("Ñandú, GAD", "gad@nabon.example"))
    '"Ñandú, GAD" <gad@nabon.example>'
    """

    name: str
    address: str

    @property
    def table(self) -> dict[str, str]:
        """The mailbox as most APIs take it: `email`, and `name` if there is one."""
        return {"email": self.address, **({"name": self.name} if self.name else {})}

    def __str__(self) -> str:
        if not self.name:
            return self.address
        quoted = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{self.address}>'


class Fields(msgspec.Struct, frozen=True):
    """What an API is told of a message; `headers` are those that have no field of their own."""

    sender: Person
    to: Person
    reply_to: Person | None
    subject: str
    text: str
    html: str
    headers: dict[str, str]


def fields(message: Message, provider: str) -> Fields:
    """
    Take a message apart.

    Raises:
        TransportDown: It holds something besides text and HTML.

    """
    parsed = BytesParser(_class=EmailMessage, policy=policy.SMTP).parsebytes(message.content)
    texts = {"text/plain": "", "text/html": ""}
    for part in parsed.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        if kind not in texts or texts[kind]:
            raise TransportDown(
                f"{provider}'s API is only given text and HTML, and this message holds {kind}; use SMTP"
            )
        texts[kind] = part.get_content().replace("\r\n", "\n")
    named = _person(parsed, "to")
    return Fields(
        sender=_person(parsed, "from") or Person("", message.sender),
        to=Person(named.name if named else "", message.recipient),
        reply_to=_person(parsed, "reply-to"),
        subject=str(parsed.get("subject", "")),
        text=texts["text/plain"],
        html=texts["text/html"],
        headers={
            name: " ".join(str(value).split())
            for name, value in parsed.items()
            if name.lower() not in _TAKEN_APART and not name.lower().startswith(("content-t", "mime-"))
        },
    )


def _person(parsed: EmailMessage, name: str) -> Person | None:
    field = parsed.get(name)
    if field is None or not field.addresses:
        return None
    found = field.addresses[0]
    return Person(found.display_name, found.addr_spec)


def bare(message_id: str) -> str:
    """
    A Message-ID without its angle brackets.

    >>> bare("<k-3-42.abc@quito.example>")
    'k-3-42.abc@quito.example'
    """
    return message_id.strip("<> ")
