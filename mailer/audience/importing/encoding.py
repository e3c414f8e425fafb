"""
In which encoding a list was written: BOM, then strict UTF-8, then the one whose letters make Spanish words.

General detectors take Spanish cp1252 for cp1250 and turn ñ into ń without a word, so the rest is scored here: among the
single-byte encodings that Spanish offices have used, only the right one puts accented letters inside words.
"""

import codecs
import re
from collections.abc import Iterable
from typing import Final

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES: Final = ("cp1252", "cp850", "mac_roman")
_SPANISH: Final = re.compile(r"[áéíóúüñ]|(?<![a-záéíóúüñ])[ÁÉÍÓÚÜÑ]|[¿¡«“](?=\w)|[ªº°]")
_NEIGHBOURS: Final = re.compile(r"[çàèìòùâêîôûäëïöãõ]")
_RARE: Final = re.compile(
    r"(?<=[^\W\d_])[^\w\s'’·.\-,;:/&@()\x00-\x7f](?=[^\W\d_])"  # a symbol inside a word
    r"|(?<=[a-záéíóúñ])[À-ÖØ-ÞŒŸŽŠ]"  # a capital after a small letter
    r"|[\x80-\x9f\u2500-\u259f¤¢£¥†‡§¶Þþ¬±‚„ˆ˜√≈∆◊ﬁﬂ]|[–—](?=\w)(?<=\w[–—])"
)
_UTF7: Final = re.compile(rb"\+A(?:O[Ek0]|P[MoEw])(?![A-Za-z0-9+/])")
"""á é í ó ú ñ ü alone in a word, as RFC 2152 writes them."""
_SAMPLE: Final = 1 << 20
_CONTROLS: Final = bytes({*range(1, 32)} - {*b"\t\n\v\f\r"})
_MOST_CONTROLS: Final = 0.02  # bytes at random are a tenth of them


class Unreadable(ValueError):
    """The bytes are no text, or text in two encodings at once; the message says what to do."""


def encoding_of(chunks: Iterable[bytes]) -> str:
    """
    The name of the encoding that the bytes are written in; the whole file is read, in pieces.

    >>> encoding_of(["Nabón, Cañar".encode("cp850")])
    'cp850'

    Raises:
        Unreadable: Parts of it are written in another than the rest, or it is no text.

    """
    strict: codecs.IncrementalDecoder | None = None
    telling = bytearray()
    is_utf8 = True
    for chunk in chunks:
        if strict is None:
            if marked := _marked(chunk):
                return marked
            if len(_UTF7.findall(chunk)) > 1:
                raise Unreadable(
                    "that is UTF-7, an encoding of old mail; save the list as CSV UTF-8 or say --encoding utf-7"
                )
            strict = codecs.getincrementaldecoder("utf-8")("strict")
        if is_utf8:
            is_utf8 = _accepts(strict, chunk)
        if not chunk.isascii() and len(telling) < _SAMPLE:
            telling += b"\n".join(line for line in chunk.splitlines() if not line.isascii())
        if not is_utf8 and len(telling) >= _SAMPLE:
            break
    if is_utf8 and (strict is None or _accepts(strict, b"", final=True)):
        return "utf-8"
    if len(telling) - len(telling.translate(None, _CONTROLS)) > len(telling) * _MOST_CONTROLS:
        raise Unreadable("that is no text, whatever its name says; save the list as CSV or xlsx")
    if any(_is_utf8(bytes(line)) for line in telling.splitlines()):
        raise Unreadable(
            "some lines are written in UTF-8 and others in an older encoding; save the list anew as CSV UTF-8, or name "
            "the one that most of it is in with --encoding"
        )
    return max(_CANDIDATES, key=lambda name: _score(bytes(telling), name))


def _marked(start: bytes) -> str | None:
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    head = start[:2000]
    if len(head) >= 4 and head[1::2].count(0) > len(head) * 0.4:  # noqa: PLR2004 — every other byte, nearly
        return "utf-16-le"
    if len(head) >= 4 and head[::2].count(0) > len(head) * 0.4:  # noqa: PLR2004
        return "utf-16-be"
    return None


def _accepts(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8(line: bytes) -> bool:
    return _accepts(codecs.getincrementaldecoder("utf-8")("strict"), line, final=True)


def _score(sample: bytes, encoding: str) -> int:
    text = sample.decode(encoding, "replace")
    likely = 3 * len(_SPANISH.findall(text)) + len(_NEIGHBOURS.findall(text))
    return likely - 4 * len(_RARE.findall(text)) - 6 * text.count("\ufffd")
