"""
An edition as wire bytes with holes: what is the same for every reader is encoded once, and only joined afterwards.

The message is multipart/alternative, text first (RFC 2046 5.1.4), both parts quoted-printable, so that any server
takes it as 7-bit text.
"""

import hashlib
import html
import re
from base64 import encodebytes
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from mailer.editions.edition import SLOT, SLOTS, Edition, Image
from mailer.errors import AuthorError
from mailer.messages import headers
from mailer.messages.dkim import Key, Seal
from mailer.messages.letterhead import Letterhead
from mailer.messages.quoted import quote_text, quote_value
from mailer.messages.trail import CLICKER, Trail, led


class Hole(msgspec.Struct, frozen=True):
    """The places among the pieces that one slot's value fills, as it is in the text and HTML-escaped in the page."""

    slot: str
    in_text: tuple[int, ...]
    in_page: tuple[int, ...]


class Stencil(msgspec.Struct, frozen=True):
    """
    An edition cut for one campaign (0: a test).

    `head` is the constant header fields, `pieces` the body behind the empty line, with nothing at the holes.
    """

    campaign: int
    letterhead: Letterhead
    date: datetime
    head: bytes
    pieces: tuple[bytes, ...]
    holes: tuple[Hole, ...]
    seals: tuple[Seal, ...]
    names_clickers: bool  # its links say whose they are

    def fill(self, values: Mapping[str, str]) -> list[bytes]:
        """
        The pieces of the body with each hole filled; `values` holds one for every slot, none with a line break.

        Raises:
            Unwritable: A value holds a line break, a NUL or a broken character.

        """
        pieces = list(self.pieces)
        for hole in self.holes:
            value = headers.refuse_breaks(values[hole.slot], hole.slot)
            quoted = quote_value(value)
            for index in hole.in_text:
                pieces[index] = quoted
            escaped = html.escape(value)
            if escaped != value:
                quoted = quote_value(escaped)
            for index in hole.in_page:
                pieces[index] = quoted
        return pieces


def cut(
    edition: Edition,
    letterhead: Letterhead,
    *,
    campaign: int,
    date: datetime,
    keys: Sequence[Key] = (),
    embedded: bool = False,
    trail: Trail | None = None,
) -> Stencil:
    """
    Cut the stencil of an edition for one campaign.

    With `trail` the links are counted: they lead by way of our own pages (see `messages.trail`).
    With `embedded` the pictures travel in the message (RFC 2387) instead of being fetched from the web edition.
    `date` is the campaign's start: with it and the tokens fixed, a message sent again is the same to the byte.

    Raises:
        AuthorError: The edition has a slot that nobody fills.
        Unwritable: The subject or a name holds what no header may.

    """
    edition = led(edition, trail) if trail else edition
    boundary = _boundary(edition)
    fields = _constant_fields(edition, letterhead, campaign, date)
    fields.append(f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'.encode("ascii"))
    constants = {"web_url": letterhead.web_url(edition)}
    pieces = [_part_head(boundary, "text/plain")]
    text: dict[str, list[int]] = {}
    page: dict[str, list[int]] = {}
    _add_slots(pieces, text, edition.text, constants, escaped=False)
    content, pictures = embed(edition, letterhead) if embedded else (edition.html, ())
    if pictures:
        inner = f"=_r{boundary[2:]}"
        pieces.append(b"\r\n" + _related_head(boundary, inner) + _part_head(inner, "text/html"))
        _add_slots(pieces, page, content, constants, escaped=True)
        pieces.extend(_picture_part(inner, each, letterhead) for each in pictures)
        pieces.append(f"\r\n--{inner}--\r\n".encode("ascii"))
    else:
        pieces.append(b"\r\n" + _part_head(boundary, "text/html"))
        _add_slots(pieces, page, content, constants, escaped=True)
    pieces.append(f"\r\n--{boundary}--\r\n".encode("ascii"))
    return Stencil(
        campaign=campaign,
        letterhead=letterhead,
        date=date,
        head=b"".join(fields),
        pieces=tuple(pieces),
        holes=tuple(
            Hole(slot, in_text=tuple(text.get(slot, ())), in_page=tuple(page.get(slot, ())))
            for slot in dict.fromkeys((*text, *page))
        ),
        seals=tuple(key.seal(fields) for key in keys),
        names_clickers=CLICKER in text or CLICKER in page,
    )


def cut_test(
    edition: Edition,
    letterhead: Letterhead,
    *,
    prefix: str,
    date: datetime,
    keys: Sequence[Key] = (),
    embedded: bool = False,
) -> Stencil:
    """Cut the stencil of a test: the subject begins with `prefix` ("[PRUEBA]"), and it belongs to no campaign."""
    subject = f"{prefix} {edition.subject}" if prefix else edition.subject
    marked = msgspec.structs.replace(edition, subject=subject)
    return cut(marked, letterhead, campaign=0, date=date, keys=keys, embedded=embedded)


def embed(edition: Edition, letterhead: Letterhead) -> tuple[str, tuple[Image, ...]]:
    """The HTML with its pictures' addresses turned into those of parts of the message (RFC 2392), and the pictures."""
    content, used = edition.html, list[Image]()
    for picture in edition.images:
        address = f'src="{html.escape(f"{letterhead.public_url}/images/{picture.name}")}"'
        if address in content:
            content = content.replace(address, f'src="cid:{_content_id(picture, letterhead)}"')
            used.append(picture)
    return content, tuple(used)


def _constant_fields(edition: Edition, letterhead: Letterhead, campaign: int, date: datetime) -> list[bytes]:
    """
    The header fields that are the same for every reader, but for the one that names the boundary.

    No `Precedence`: List-Id tells automatic answerers the same (RFC 3834 2, RFC 5230 4.6), and it was never standard.
    No `Auto-Submitted`: a person wrote the issue and approved it.
    """
    reply_to = [headers.mailbox_field("Reply-To", letterhead.reply_to)] if letterhead.reply_to else []
    feedback = f"{campaign or 'test'}:{edition.issue}:{edition.segment}:{letterhead.list_id}"
    return [
        headers.mailbox_field("From", letterhead.sender),
        *reply_to,
        headers.text_field("Subject", edition.subject),
        headers.date_field(date),
        headers.list_id_field(letterhead.list_id, letterhead.publication),
        headers.raw_field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        headers.raw_field("Feedback-ID", feedback),
        headers.raw_field("MIME-Version", "1.0"),
        headers.raw_field("Content-Language", edition.language),
    ]


def _boundary(edition: Edition) -> str:
    """A boundary of the content's hash; quoted-printable never holds `=_`, so no line of a part can look like it."""
    content = f"{edition.hash}\0{edition.subject}\0{edition.html}\0{edition.text}"
    return f"=_{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def _part_head(boundary: str, media_type: str) -> bytes:
    return (
        f'--{boundary}\r\nContent-Type: {media_type}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode("ascii")


def _related_head(boundary: str, inner: str) -> bytes:
    return (
        f'--{boundary}\r\nContent-Type: multipart/related; type="text/html";\r\n boundary="{inner}"\r\n\r\n'
    ).encode("ascii")


def _picture_part(boundary: str, picture: Image, letterhead: Letterhead) -> bytes:
    head = (
        f"\r\n--{boundary}\r\nContent-Type: {picture.media_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-ID: <{_content_id(picture, letterhead)}>\r\n"
        f'Content-Disposition: inline; filename="{picture.name}"\r\n\r\n'
    ).encode("ascii")
    return head + encodebytes(picture.content).replace(b"\n", b"\r\n").removesuffix(b"\r\n")


def _content_id(picture: Image, letterhead: Letterhead) -> str:
    return f"{picture.name}@{letterhead.list_id}"


def _add_slots(
    pieces: list[bytes], holes: dict[str, list[int]], text: str, constants: Mapping[str, str], *, escaped: bool
) -> None:
    """Append the text to the pieces, a hole at each slot."""
    known = SLOT.sub(lambda slot: _constant(slot, constants, escaped=escaped), text)
    for index, run in enumerate(SLOT.split(known)):
        if index % 2:
            holes.setdefault(run, []).append(len(pieces))
            pieces.append(b"")
        else:
            pieces.append(quote_text(run))


def _constant(slot: re.Match[str], constants: Mapping[str, str], *, escaped: bool) -> str:
    name = slot[1]
    if name == CLICKER:
        return slot[0]
    if name not in SLOTS:
        raise AuthorError(f"the edition holds {slot[0]}, which nobody fills; write one of {', '.join(sorted(SLOTS))}")
    if name not in constants:
        return slot[0]
    return html.escape(constants[name]) if escaped else constants[name]
