"""
Which delivery of ours a mail speaks of: no words are read where a signed token says it.

The envelope sender of every message names its delivery (VERP, `b+<token>@…`), so does its Message-ID
(`<token@…>`) and its unsubscribe address (`u+<token>@…`). A token is good for one purpose, and names numbers only.
"""

import re
from typing import Final

from mailer.feedback.mime import Part
from mailer.tokens import InvalidToken, Signer

_SIGNED: Final = r"([a-z0-9]{1,8}-[a-z0-9-]{1,60}\.[a-z0-9]{20,80})@"
_BOUNCE = re.compile(rf"(?<![\w.+-])b\+{_SIGNED}", re.IGNORECASE)
_UNSUBSCRIBE = re.compile(rf"(?<![\w.+-])u\+{_SIGNED}", re.IGNORECASE)
_MESSAGE_ID = re.compile(rf"<{_SIGNED}", re.IGNORECASE)
_DELIVERED_TO: Final = ("x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "x-rcpt-to", "to")
_SPEAKS_OF: Final = ("original-message-id", "x-original-message-id", "in-reply-to", "references")
_MAX_TEXT: Final = 100_000


def bounced_delivery(mail: Part, signer: Signer) -> str:
    """
    The payload (`campaign-subscriber`) of the delivery that the mail speaks of, or nothing; forged tokens name nothing.

    The address that it was delivered to comes first, then the returned message's envelope sender and Message-ID.
    """
    for name in _DELIVERED_TO:
        if named := _first(_BOUNCE, "bounce", mail.all(name), signer):
            return named
    returned = mail.walk()[1:]
    if named := _first(_BOUNCE, "bounce", [part.header("return-path") for part in returned], signer):
        return named
    ids = [part.header("message-id") for part in returned] + [mail.header(name) for name in _SPEAKS_OF]
    texts = [part.text[:_MAX_TEXT] for part in [mail, *returned] if part.type.startswith(("text/", "message/"))]
    return _first(_MESSAGE_ID, "message-id", [*ids, *texts], signer)


def unsubscribed_delivery(mail: Part, signer: Signer) -> str:
    """The payload of the delivery whose unsubscribe address (List-Unsubscribe, mailto) got the mail, or nothing."""
    return next(
        (named for name in _DELIVERED_TO if (named := _first(_UNSUBSCRIBE, "unsubscribe", mail.all(name), signer))), ""
    )


def delivery_of_message_id(message_id: str, signer: Signer) -> str:
    """
    The payload of the delivery that a Message-ID of ours names, or nothing.

    >>> signer = Signer(["secret"])
    >>> delivery_of_message_id(f"<{signer.sign('message-id', '3-42')}@quito.example>", signer)
    '3-42'
    """
    return _first(_MESSAGE_ID, "message-id", [f"<{message_id.strip('<> ')}>"], signer)


def _first(pattern: re.Pattern[str], purpose: str, texts: list[str], signer: Signer) -> str:
    for text in texts:
        for token in pattern.findall(text)[:20]:
            try:
                return signer.read(purpose, token)
            except InvalidToken:
                continue
    return ""
