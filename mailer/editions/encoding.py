"""Pixels as the lightest file that still looks right: a palette for drawings, JPEG for photographs."""

import io
from typing import Final

from PIL import Image as Pillow
from PIL import ImageChops, ImageStat

BUDGET: Final = 200_000
COLOURS: Final = 256
# Root mean square difference, of 255, up to which a palette can't be told from the original at arm's length.
SAME: Final = 3.0
BEST: Final = 86
WORST: Final = 50


def encode(picture: Pillow.Image) -> tuple[bytes, str, tuple[int, int]]:
    """
    The file's bytes, its media type and its size in pixels; at most 200 kB.

    Takes RGB or RGBA pixels. What is transparent stays so; only a picture too rich for that is set on white.
    """
    picture = _opaque(picture)
    while True:
        content, media_type = _transparent(picture) if picture.mode == "RGBA" else _solid(picture)
        if len(content) <= BUDGET:
            return content, media_type, picture.size
        if picture.mode == "RGBA":
            picture = _on_white(picture)
        else:
            size = (max(1, picture.width * 4 // 5), max(1, picture.height * 4 // 5))
            picture = picture.resize(size, Pillow.Resampling.LANCZOS)


def _transparent(picture: Pillow.Image) -> tuple[bytes, str]:
    return _palette(picture) or _png(picture), "image/png"


def _solid(picture: Pillow.Image) -> tuple[bytes, str]:
    drawing, photograph = _palette(picture), _jpeg(picture, BEST)
    if drawing and len(drawing) <= len(photograph):
        return drawing, "image/png"
    return (photograph if len(photograph) <= BUDGET else _lighter(picture)), "image/jpeg"


def _opaque(picture: Pillow.Image) -> Pillow.Image:
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    # Antialiasing leaves a seam of not quite opaque pixels at a drawing's edge; that is no transparency.
    lowest, _ = picture.getchannel("A").getextrema()
    transparent = picture.getchannel("A").histogram()
    if lowest == 255 or sum(transparent[:250]) <= picture.width + picture.height:  # noqa: PLR2004 - of 255
        return _on_white(picture)
    return picture


def _on_white(picture: Pillow.Image) -> Pillow.Image:
    white = Pillow.new("RGBA", picture.size, "white")
    return Pillow.alpha_composite(white, picture).convert("RGB")


def _palette(picture: Pillow.Image) -> bytes | None:
    """The picture in 256 colours, if it looks the same. The second method is slower and knows no transparency."""
    methods = [Pillow.Quantize.FASTOCTREE] + [Pillow.Quantize.MEDIANCUT] * (picture.mode == "RGB")
    for method in methods:
        few = picture.quantize(COLOURS, method=method, dither=Pillow.Dither.NONE)
        difference = ImageChops.difference(picture, few.convert(picture.mode))
        if max(ImageStat.Stat(difference).rms) <= SAME:
            return _png(few)
    return None


def _png(picture: Pillow.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=7)
    return out.getvalue()


def _jpeg(picture: Pillow.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


def _lighter(picture: Pillow.Image) -> bytes:
    """The best JPEG within the budget, or the worst acceptable one."""
    low, high = WORST, BEST - 1
    found = _jpeg(picture, low)
    while len(found) <= BUDGET and low < high:
        middle = (low + high + 1) // 2
        tried = _jpeg(picture, middle)
        if len(tried) <= BUDGET:
            found, low = tried, middle
        else:
            high = middle - 1
    return found
