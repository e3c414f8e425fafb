"""The bytes that one recipient receives, and the envelope they travel in."""

import msgspec


class Message(msgspec.Struct, frozen=True):
    """
    One RFC 5322 message with its RFC 5321 envelope.

    `content` is 7-bit, lines end in CRLF and hold at most 998 octets. Only a recipient whose local part is not ASCII
    puts UTF-8 into the To field (RFC 6532), and asks the transport for SMTPUTF8. `message_id` has its angle brackets.
    `is_dotless` says that it was made so that no line begins with a dot, and ends in CRLF: it goes on the wire as it
    stands, and nobody has to look through it for what SMTP would take for its end.
    """

    message_id: str
    sender: str
    recipient: str
    content: bytes
    is_dotless: bool = False
