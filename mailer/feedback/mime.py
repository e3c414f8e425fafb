"""
Reads mail that nobody promised would be well-formed.

The standard parser recurses and raises on what strangers send; this one walks the lines once, whatever their ends,
forgets what is too deep or too long, and never raises. It keeps only what understanding a bounce asks for.
"""

import binascii
import html
import quopri
import re
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header
from itertools import pairwise
from typing import Final

MAX_BYTES: Final = 1 << 20  # the report stands before the returned message; what lies beyond is the returned message
_MAX_PARTS: Final = 200
_MAX_HEADERS: Final = 1_000
_MAX_HEADER: Final = 20_000
_MAX_DEPTH: Final = 12
_HEADER_LINE = re.compile(rb"([!-9;-~]{1,200})[ \t]{0,20}:[ \t]{0,200}(.*)")
_PARAMETER = re.compile(
    r""";\s{0,50}([a-z0-9*-]{1,60})\s{0,10}=\s{0,10}("[^"]{0,1000}"|[^\s;"]{1,1000})""", re.IGNORECASE
)
_BLOCK_TAG = re.compile(r"</?(?:br|p|div|tr|table|li|ul|ol|h[1-6]|hr|blockquote|pre)\b[^<>]{0,4000}>", re.IGNORECASE)
_HIDDEN = re.compile(r"<(style|script|title)\b[^<>]{0,1000}>[^<]{0,50000}</\1\s{0,5}>", re.IGNORECASE)
_TAG = re.compile(r"""<(?![^<>\s@"']{1,200}@[^<>\s"']{1,200}>)[a-z/!?][^<>]{0,4000}>""", re.IGNORECASE)
_PROPER_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]{1,60}:[ \t]")
_LOST_PARAMETER = re.compile(rb"(?:boundary|charset|report-type|type|name|format|differences)=", re.IGNORECASE)
_LINES_AHEAD: Final = 10
_MAX_DECODED: Final = 2_000
_LINES_SNIFFED: Final = 8
_SHORTEST_BOUNDARY: Final = 6


@dataclass
class Part:
    """One part of a mail: its type, its headers in order, its body as it came, and the parts inside."""

    type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    parts: list["Part"] = field(default_factory=list)

    def header(self, name: str) -> str:
        """The first header of that name, encoded words decoded, or nothing."""
        return next((decoded(value) for known, value in self.headers if known == name), "")

    def all(self, name: str) -> list[str]:
        """Every header of that name, in order, decoded."""
        return [decoded(value) for known, value in self.headers if known == name]

    def walk(self) -> list["Part"]:
        """The part and all inside it, the outer before the inner, in order within a level."""
        found = [self]
        for part in found:
            found.extend(part.parts)
        return found

    @property
    def text(self) -> str:
        """The body as text: transfer encoding and charset undone, HTML reduced to its words."""
        text = _characters(self._undone(), self.parameters.get("charset", ""))
        return words_of(text) if self.type == "text/html" or text.lstrip()[:6].lower() == "<html>" else text

    def _undone(self) -> bytes:
        encoding = self.header("content-transfer-encoding").strip().lower()
        if encoding == "base64":
            try:
                return _lines_mended(binascii.a2b_base64(self.body))
            except binascii.Error:
                return _lines_mended(_tolerant_base64(self.body))
        if encoding == "quoted-printable":
            return _lines_mended(quopri.decodestring(self.body))
        return self.body


def _tolerant_base64(body: bytes) -> bytes:
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
    return binascii.a2b_base64(letters[: len(letters) // 4 * 4] or b"")


def _lines_mended(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _characters(raw: bytes, charset: str) -> str:
    for name in (charset, "utf-8"):
        try:
            return raw.decode(name.strip() or "utf-8")
        except (LookupError, ValueError, TypeError):
            continue
    return raw.decode("cp1252", "replace")


def decoded(value: str) -> str:
    """
    A header's value with its RFC 2047 words decoded, as far as they can be.

    >>> decoded("=?utf-8?q?Buz=C3=B3n_lleno?=")
    'Buzón lleno'
    """
    if "=?" not in value:
        return value
    try:
        return "".join(
            part if isinstance(part, str) else _characters(part, charset or "")
            for part, charset in decode_header(value[:_MAX_DECODED])
        )
    except (HeaderParseError, ValueError, LookupError, binascii.Error):
        return value


def words_of(markup: str) -> str:
    """
    The words of an HTML page, a line where a block ends.

    >>> words_of("<p>No such user: <a href='mailto:ana@gad.example'>ana@gad.example</a></p>").strip()
    'No such user: ana@gad.example'
    """
    text = _HIDDEN.sub(" ", markup)
    text = _BLOCK_TAG.sub("\n", text)
    text = html.unescape(_TAG.sub("", text)).replace("\xa0", " ")
    return re.sub(r"\n\s{1,200}\n", "\n\n", text)


def read_mail(raw: bytes) -> Part:
    """
    Read a mail, whatever is wrong with it.

    Lines may end in LF, CR LF or CR; a leading mbox line is dropped; nesting, parts and sizes are bounded.
    """
    mended = _lines_mended(raw[:MAX_BYTES]).lstrip(b"\n \t\0\xef\xbb\xbf")
    if mended.startswith((b"From ", b">From ")):
        mended = mended.partition(b"\n")[2]
    return _read(mended.split(b"\n"), 0, [_MAX_PARTS])


def _read(lines: list[bytes], depth: int, left: list[int], *, default: str = "text/plain") -> Part:
    headers, start = _headers(lines)
    body = lines[start:]
    stated = next((value for name, value in headers if name == "content-type"), "")
    type_, parameters = _content_type(stated, default) if stated else _sniffed(body, default)
    part = Part(type=type_, parameters=parameters, headers=headers)
    left[0] -= 1
    if depth < _MAX_DEPTH and left[0] > 0:
        if type_.startswith("multipart/"):
            part.parts = _split(body, parameters.get("boundary", ""), depth, left, digest=type_ == "multipart/digest")
        elif type_ in {"message/rfc822", "message/global"}:
            part.parts = [_read(_opened(part, body), depth + 1, left)]
    if not part.parts or not type_.startswith("multipart/"):
        part.body = b"\n".join(body)
    else:
        part.body = b"\n".join(body[: _first_boundary(body, parameters.get("boundary", ""))])
    return part


def _opened(part: Part, body: list[bytes]) -> list[bytes]:
    if part.header("content-transfer-encoding").strip().lower() not in {"base64", "quoted-printable"}:
        return _without_leading_blanks(body)
    part.body = b"\n".join(body)
    return _without_leading_blanks(part._undone().split(b"\n"))  # noqa: SLF001 - its own kind


def _without_leading_blanks(lines: list[bytes]) -> list[bytes]:
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    return lines[start:]


def _first_boundary(lines: list[bytes], boundary: str) -> int:
    mark = b"--" + boundary.encode("utf-8", "replace")
    return next((index for index, line in enumerate(lines) if line.rstrip() == mark), len(lines))


def _split(lines: list[bytes], boundary: str, depth: int, left: list[int], *, digest: bool) -> list[Part]:
    if not boundary:
        return []
    mark = b"--" + boundary.encode("utf-8", "replace")
    pieces: list[list[bytes]] = []
    current: list[bytes] | None = None
    for line in lines:
        if line.startswith(b"--") and line.rstrip() in {mark, mark + b"--"}:
            current = [] if line.rstrip() == mark and len(pieces) < _MAX_PARTS else None
            if current is not None:
                pieces.append(current)
        elif current is not None:
            current.append(line)
    default = "message/rfc822" if digest else "text/plain"
    return [_read(piece, depth + 1, left, default=default) for piece in pieces if left[0] > 0]


def _headers(lines: list[bytes]) -> tuple[list[tuple[str, str]], int]:
    """The headers at the top, unfolded, and the line where the body starts; a body may follow with no blank line."""
    found: list[tuple[str, bytearray]] = []
    for index, line in enumerate(lines):
        if not line.strip():
            return _as_text(found), index + 1
        if line[:1] in b" \t":
            if found and len(found[-1][1]) < _MAX_HEADER:
                found[-1][1].extend(b" " + line.strip()[:_MAX_HEADER])
        elif match := _HEADER_LINE.match(line[:_MAX_HEADER]):
            if len(found) < _MAX_HEADERS:
                found.append((match[1].decode("ascii").lower(), bytearray(match[2].strip())))
        elif line.startswith((b"From ", b">From ")):
            continue
        elif found and _goes_on(lines, index):
            found[-1][1].extend(b" " + line.strip()[:_MAX_HEADER])
        else:
            return _as_text(found), index
    return _as_text(found), len(lines)


def _goes_on(lines: list[bytes], index: int) -> bool:
    """Whether a line among headers is the rest of a folded one that lost its indent: a parameter, or headers follow."""
    if _LOST_PARAMETER.match(lines[index]):
        return True
    for line in lines[index + 1 : index + _LINES_AHEAD]:
        if not line.strip():
            return False
        if _PROPER_HEADER.match(line[:100]):
            return True
    return False


def _as_text(found: list[tuple[str, bytearray]]) -> list[tuple[str, str]]:
    return [(name, _characters(bytes(value), "")) for name, value in found]


def _sniffed(body: list[bytes], default: str) -> tuple[str, dict[str, str]]:
    """The type of a mail that lost its own: a line of hyphens with a part's headers below begins a multipart."""
    for line, following in pairwise(body[: _LINES_SNIFFED + 1]):
        if line.strip() and not line.startswith(b"--") and b"mime" not in b" ".join(body[:_LINES_SNIFFED]).lower():
            break
        if line.startswith(b"--") and len(line) > _SHORTEST_BOUNDARY and following.lower().startswith(b"content-type:"):
            return "multipart/mixed", {"boundary": line.rstrip()[2:].decode("utf-8", "replace")}
    return default, {}


def _content_type(value: str, default: str) -> tuple[str, dict[str, str]]:
    type_ = value.partition(";")[0].strip().lower()
    if "/" not in type_:
        type_ = default
    parameters = {name.lower().rstrip("*"): text.strip('"') for name, text in _PARAMETER.findall(value[:5_000])}
    return type_, parameters
