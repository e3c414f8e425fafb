"""What readers may fetch beside the pictures: documents of the issue's folder, and dates for their calendars."""

import hashlib
import mimetypes
from datetime import UTC, datetime, time, timedelta
from typing import Final
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from mailer.editions.edition import Enclosure
from mailer.errors import AuthorError
from mailer.issues import Article, Issue
from mailer.issues.names import slug

MOST_BYTES: Final = 20_000_000
_KINDS: Final = frozenset({"pdf", "docx", "doc", "xlsx", "xls", "pptx", "ppt", "odt", "ods", "odp", "csv", "zip"})
_WIDEST: Final = 75  # octets of a line (RFC 5545 3.1)
_KILO: Final = 1000


def kind(address: str) -> str:
    """
    What sort of document an address leads to, as it stands on its tile; nothing if it is a page.

    >>> kind("https://quito.example/convenio.PDF?v=2"), kind("https://quito.example/convenio")
    ('PDF', '')
    """
    suffix = urlsplit(address).path.rpartition(".")[2].lower()
    return suffix.upper() if suffix in _KINDS else ""


def weight(content: bytes) -> str:
    """
    The size of a file as people say it.

    >>> weight(b"x" * 1_250_000), weight(b"x")
    ('1.2 MB', '1 kB')
    """
    kilobytes = max(1, round(len(content) / _KILO))
    return f"{kilobytes} kB" if kilobytes < _KILO else f"{len(content) / _KILO**2:.1f} MB"


def document(issue: Issue, address: str, line: int) -> Enclosure:
    """
    The file of the issue's folder that a button leads to.

    Raises:
        AuthorError: It isn't there, leads out of the folder, is too large or of a kind that isn't handed out.

    """
    path = (issue.folder / unquote(address)).resolve()
    if not path.is_relative_to((issue.folder / "files").resolve()) or not path.is_file():
        raise AuthorError(f'there is no file "{address}"; save it in {issue.name}/files', issue.where(line))
    if not kind(path.name):
        known = ", ".join(sorted(_KINDS))
        raise AuthorError(f'"{address}" is no document that can be handed out; it can be {known}', issue.where(line))
    content = path.read_bytes()
    if len(content) > MOST_BYTES:
        raise AuthorError(f'"{address}" is larger than 20 MB; make it smaller', issue.where(line))
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return _named(slug(path.stem) or "documento", path.suffix.lower(), media_type, content)


def calendar_date(issue: Issue, article: Article, timezone: str, url: str) -> Enclosure | None:
    """The day of an article as a file that calendars take (RFC 5545); the same article gives the same bytes."""
    when = article.when
    if when is None:
        return None
    if when.begins is None:
        start = f"DTSTART;VALUE=DATE:{when.first:%Y%m%d}"
        end = f"DTEND;VALUE=DATE:{when.last + timedelta(days=1):%Y%m%d}"
    else:
        ends = when.ends or when.begins
        start = f"DTSTART:{_instant(datetime.combine(when.first, when.begins), timezone)}"
        end = f"DTEND:{_instant(datetime.combine(when.last, ends), timezone)}"
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//mailer//issue//ES", "METHOD:PUBLISH", "BEGIN:VEVENT"),
        f"UID:{article.id}.{issue.name}@{urlsplit(url).hostname or 'invalid'}",
        f"DTSTAMP:{datetime.combine(issue.month, time(), UTC):%Y%m%dT%H%M%SZ}",
        *(start, end),
        f"SUMMARY:{_escaped(article.title)}",
        *([f"LOCATION:{_escaped(article.place)}"] if article.place else []),
        f"URL:{url}",
        *("END:VEVENT", "END:VCALENDAR", ""),
    ]
    content = "\r\n".join(map(_folded, lines)).encode()
    return _named(article.id, ".ics", "text/calendar", content)


def _named(stem: str, suffix: str, media_type: str, content: bytes) -> Enclosure:
    return Enclosure(f"{hashlib.sha256(content).hexdigest()[:12]}-{stem}{suffix}", media_type, content)


def _instant(local: datetime, timezone: str) -> str:
    return f"{local.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """The line in pieces of at most 75 octets, cut between characters."""
    pieces, piece, width = [], "", 0
    for letter in line:
        octets = len(letter.encode())
        if width + octets > _WIDEST:
            pieces.append(piece)
            piece, width = " ", 1
        piece, width = piece + letter, width + octets
    return "\r\n".join([*pieces, piece])
