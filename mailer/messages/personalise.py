"""The front door: a stencil and a recipient become a message."""

from collections.abc import Callable, Mapping
from hashlib import sha256

from mailer.address import Mailbox
from mailer.audience.recipient import Recipient
from mailer.messages import headers
from mailer.messages.letterhead import Identity, identity, reference, test_identity
from mailer.messages.message import Message
from mailer.messages.stencil import Stencil
from mailer.messages.trail import CLICKER
from mailer.tokens import Signer

Greet = Callable[[Recipient], str]


def personalise(stencil: Stencil, recipient: Recipient, *, signer: Signer, greet: Greet) -> Message:
    """
    Write the message of one recipient of the stencil's campaign.

    The same stencil, recipient and secret give the same bytes, so a message sent again is the same message.

    Raises:
        Unwritable: The recipient's name, address or institution holds what no message may.

    """
    named = identity(stencil.letterhead, signer, stencil.campaign, recipient.subscriber_id)
    clicker = {}
    if stencil.names_clickers:
        clicker[CLICKER] = signer.sign(CLICKER, reference(stencil.campaign, recipient.subscriber_id))
    return _write(stencil, recipient, named, greet, clicker)


def personalise_test(stencil: Stencil, recipient: Recipient, *, signer: Signer, greet: Greet) -> Message:
    """
    Write a test message from a stencil of `cut_test`: its links lead to a page that says it was a test.

    Raises:
        Unwritable: As for `personalise`.

    """
    reader = f"{recipient.email}\0{recipient.segment}\0{recipient.language}"
    occasion = f"{int(stencil.date.timestamp() * 1000)}-{sha256(reader.encode()).hexdigest()[:12]}"
    return _write(stencil, recipient, test_identity(stencil.letterhead, signer, occasion), greet, {})


def _write(
    stencil: Stencil, recipient: Recipient, named: Identity, greet: Greet, clicker: Mapping[str, str]
) -> Message:
    own = (
        headers.mailbox_field("To", Mailbox(recipient.name, recipient.email)),
        headers.raw_field("Message-ID", named.message_id),
        headers.url_field("List-Unsubscribe", (named.unsubscribe_url, named.unsubscribe_mail)),
    )
    values = {
        "greeting": greet(recipient),
        "institution": recipient.institution,
        "unsubscribe_url": named.unsubscribe_url,
        "preferences_url": named.preferences_url,
    }
    body = stencil.fill({**values, **clicker})
    return Message(
        message_id=named.message_id,
        sender=named.sender,
        recipient=headers.wire_address(recipient.email),
        content=b"".join((*_signatures(stencil, own, body), stencil.head, *own, b"\r\n", *body)),
        is_dotless=True,
    )


def _signatures(stencil: Stencil, own: tuple[bytes, ...], body: list[bytes]) -> list[bytes]:
    if not stencil.seals:
        return []
    digest = sha256()
    for piece in body:
        digest.update(piece)
    body_hash = digest.digest()
    return [seal.field(own, body_hash) for seal in stencil.seals]
