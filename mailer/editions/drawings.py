"""Drawings: SVG to pixels, by a renderer that is handed nothing which could make it read a file or a URL."""

import base64
import binascii
import io
import re
from typing import Final

import resvg_py
from lxml import etree
from PIL import Image as Pillow

from mailer.errors import AuthorError

MOST_PIXELS: Final = 16_000_000
MOST_BYTES: Final = 5_000_000
_LENGTH: Final = re.compile(r"\s*(\d*\.?\d+(?:e[+-]?\d+)?)\s*(px|pt|mm|cm|in|pc)?\s*", re.IGNORECASE)
_UNITS: Final = {"": 1.0, "px": 1.0, "pt": 96 / 72, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
_EMBEDDED: Final = re.compile(r"\s*data:image/(?:png|jpe?g|gif|webp);base64,(.*)", re.DOTALL | re.IGNORECASE)
# The renderer allots a pattern's whole tile before it draws, and ends the process where memory doesn't reach.
_LARGEST_TILE: Final = 32_000_000.0
_TRANSFORM: Final = re.compile(r"(scale|matrix)\(([^)]*)\)")
_NUMBER: Final = re.compile(r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?", re.IGNORECASE)


def rasterise(raw: bytes, width: int, name: str) -> Pillow.Image:
    """
    Draw an SVG `width` pixels wide.

    Raises:
        AuthorError: It is broken, refers to other files, has entities, holds text, or is monstrous.

    """
    root = _parsed(raw, name)
    ratio = _ratio(root, name)
    height = max(1, round(width / ratio))
    if width * height > MOST_PIXELS:
        raise AuthorError("the drawing is far too tall for its width; crop it", name)
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    for element in elements:
        _examine(element, name)
    _measure_patterns(elements, width, name)
    # The tree that was examined is what is drawn: the renderer's own parser might read the bytes otherwise.
    text = etree.tostring(root, encoding="unicode")
    try:
        drawn = resvg_py.svg_to_bytes(svg_string=text, width=width, height=height, skip_system_fonts=True)
    except ValueError as problem:
        raise AuthorError(f"the drawing can't be drawn ({problem}); save it anew as plain SVG", name) from None
    picture = Pillow.open(io.BytesIO(drawn))
    picture.load()
    return picture


def _parsed(raw: bytes, name: str) -> etree._Element:
    if len(raw) > MOST_BYTES:
        raise AuthorError("the drawing is larger than 5 MB; export it as PNG", name)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as problem:
        line = problem.position[0] or None
        raise AuthorError("the drawing is broken; save it anew as plain SVG", name, line) from None
    if b"<!ENTITY" in raw:
        raise AuthorError("the drawing declares entities; save it anew as plain SVG", name)
    if etree.QName(root).localname != "svg":
        raise AuthorError("the file is no SVG drawing; save it as SVG, PNG or JPEG", name)
    return root


def _ratio(root: etree._Element, name: str) -> float:
    """Width over height, of the size that the drawing claims or of its viewBox."""
    width, height = (_length(root.get(key)) for key in ("width", "height"))
    box = [float(part) for part in _NUMBER.findall(root.get("viewBox") or "")]
    if not (width and height):
        if len(box) != 4 or min(box[2:]) <= 0:  # noqa: PLR2004 (x, y, width, height)
            raise AuthorError("the drawing has no size; give its <svg> a viewBox", name)
        width, height = box[2:]
        # One side alone would make the renderer guess the other.
        for key in ("width", "height"):
            root.attrib.pop(key, "")
    ratio = width / height
    if not 1 / 20 <= ratio <= 20:  # noqa: PLR2004 - no picture is so long
        raise AuthorError("the drawing is far too tall or too wide; crop it", name)
    return ratio


def _length(text: str | None) -> float:
    found = _LENGTH.fullmatch(text or "")
    return float(found[1]) * _UNITS[(found[2] or "").lower()] if found else 0.0


def _examine(element: etree._Element, name: str) -> None:
    kind = etree.QName(element).localname
    line: int | None = getattr(element, "sourceline", None)
    if kind == "text":
        # Fonts differ from machine to machine, and so would the picture.
        raise AuthorError("the drawing holds text; convert it to paths in your drawing program", name, line)
    if kind in {"foreignObject", "script"}:
        raise AuthorError(f"the drawing holds a <{kind}>; save it anew as plain SVG", name, line)
    for key, value in element.attrib.items():
        attribute = etree.QName(str(key)).localname
        if attribute == "href":
            _examine_reference(str(value), name, line)


def _measure_patterns(elements: list[etree._Element], width: int, name: str) -> None:
    """Refuse a pattern whose tile would be monstrous at the size that is drawn, by the largest scale in the drawing."""
    patterns = [element for element in elements if etree.QName(element).localname == "pattern"]
    if not patterns:
        return
    box = [float(part) for part in _NUMBER.findall(elements[0].get("viewBox") or "")]
    drawn = box[2] if len(box) == 4 else _length(elements[0].get("width"))  # noqa: PLR2004 (x, y, width, height)
    grown: dict[etree._Element, float] = {}
    for element in elements:  # parents come before their children
        parent = element.getparent()
        above = 1.0 if parent is None else grown[parent]
        grown[element] = above * _scale(element.get("transform")) * _scale(element.get("patternTransform"))
    largest = max(grown.values()) * width / (drawn or width)
    for pattern in patterns:
        unit = 1.0 if pattern.get("patternUnits") == "userSpaceOnUse" else drawn
        sides = [_side(pattern.get(key), drawn) * unit * largest for key in ("width", "height")]
        if sides[0] * sides[1] > _LARGEST_TILE:
            raise AuthorError("the drawing has a monstrously large pattern; export it as PNG", name)


def _side(text: str | None, drawn: float) -> float:
    number = _NUMBER.search(text or "")
    share = drawn / 100 if (text or "").strip().endswith("%") else 1.0
    return abs(float(number[0])) * share if number else 0.0


def _scale(transform: str | None) -> float:
    """How much a transform enlarges, at the most; 1 if it makes smaller."""
    scale = 1.0
    for kind, numbers in _TRANSFORM.findall(transform or ""):
        parts = [abs(float(part)) for part in _NUMBER.findall(numbers)]
        scale *= max([1.0, *(parts[:4] if kind == "matrix" else parts)])
    return scale


def _examine_reference(value: str, name: str, line: int | None) -> None:
    if value.strip().startswith("#") or not value.strip():
        return
    embedded = _EMBEDDED.fullmatch(value)
    if not embedded:
        raise AuthorError("the drawing refers to another file; embed it, or export the drawing as PNG", name, line)
    try:
        with Pillow.open(io.BytesIO(base64.b64decode(embedded[1]))) as picture:
            too_large = picture.width * picture.height > MOST_PIXELS
    except (OSError, binascii.Error, Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        too_large = True
    if too_large:
        raise AuthorError("the drawing embeds a picture that is broken or far too large; export it as PNG", name, line)
