"""What every message of a publication has in common, and the addresses and links that name one delivery."""

from urllib.parse import quote

import msgspec

from mailer.address import Mailbox, domain_of
from mailer.editions.edition import Edition
from mailer.tokens import Signer

# The page behind these says that the link was part of a test.
TEST_TOKEN = "test"  # noqa: S105 - it signs nothing


class Letterhead(msgspec.Struct, frozen=True):
    """
    The publication as its messages show it.

    `public_url` is where readers reach the web, without a slash at its end. Without a `bounce_domain` bounces go to
    the From address, and no one can tell whose they are.
    """

    publication: str
    sender: Mailbox
    list_id: str
    public_url: str
    reply_to: Mailbox | None = None
    bounce_domain: str = ""

    def web_url(self, edition: Edition) -> str:
        """Where the edition stands on the web, the same for every reader: a forwarded link unmasks nobody."""
        return f"{self.public_url}/brief/{quote(edition.issue)}/{quote(edition.segment)}/{quote(edition.language)}"


class Identity(msgspec.Struct, frozen=True):
    """What tells one message from all others: its id, where its bounces go, and the links that act for its reader."""

    message_id: str
    sender: str
    unsubscribe_url: str
    unsubscribe_mail: str
    preferences_url: str


def reference(campaign: int, subscriber: int) -> str:
    """
    The payload of every token of one delivery.

    >>> reference(3, 42)
    '3-42'
    """
    return f"{campaign}-{subscriber}"


def read_reference(payload: str) -> tuple[int, int]:
    """
    The campaign and the subscriber that a token's payload names.

    >>> read_reference("3-42")
    (3, 42)

    Raises:
        ValueError: The payload is no reference.

    """
    campaign, _, subscriber = payload.partition("-")
    return int(campaign), int(subscriber)


def message_id(letterhead: Letterhead, signer: Signer, campaign: int, subscriber: int) -> str:
    """
    The Message-ID of one delivery, in its angle brackets: the same whenever it is asked for.

    It is keyed, so that nobody who knows the numbers can make one that passes for ours.
    """
    return f"<{signer.sign('message-id', reference(campaign, subscriber))}@{domain_of(letterhead.sender.address)}>"


def identity(letterhead: Letterhead, signer: Signer, campaign: int, subscriber: int) -> Identity:
    """The identity of the message for one subscriber of one campaign."""
    named = reference(campaign, subscriber)
    leave = signer.sign("unsubscribe", named)
    return Identity(
        message_id=message_id(letterhead, signer, campaign, subscriber),
        sender=_envelope_sender(letterhead, signer.sign("bounce", named)),
        unsubscribe_url=f"{letterhead.public_url}/u/{leave}",
        unsubscribe_mail=_unsubscribe_mail(letterhead, leave),
        preferences_url=f"{letterhead.public_url}/p/{signer.sign('preferences', named)}",
    )


def test_identity(letterhead: Letterhead, signer: Signer, occasion: str) -> Identity:
    """
    The identity of a test message: no link in it acts for anybody.

    `occasion` (letters, digits, hyphens) keeps the ids of two tests apart.
    """
    return Identity(
        message_id=f"<test-{signer.sign('message-id', occasion)}@{domain_of(letterhead.sender.address)}>",
        sender=_envelope_sender(letterhead, TEST_TOKEN),
        unsubscribe_url=f"{letterhead.public_url}/u/{TEST_TOKEN}",
        unsubscribe_mail=_unsubscribe_mail(letterhead, TEST_TOKEN),
        preferences_url=f"{letterhead.public_url}/p/{TEST_TOKEN}",
    )


def _envelope_sender(letterhead: Letterhead, token: str) -> str:
    """Variable envelope return path: the address that a bounce comes back to names the delivery."""
    return f"b+{token}@{letterhead.bounce_domain}" if letterhead.bounce_domain else letterhead.sender.address


def _unsubscribe_mail(letterhead: Letterhead, token: str) -> str:
    if letterhead.bounce_domain:
        return f"mailto:u+{token}@{letterhead.bounce_domain}"
    address = (letterhead.reply_to or letterhead.sender).address
    return f"mailto:{quote(address, safe='@+')}?subject=unsubscribe%20{token}"
