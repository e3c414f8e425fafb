"""Pictures made fit for mail: right-sized at 2×, PNG or JPEG, light, without traces of camera and place."""

import hashlib
import io
import warnings
from pathlib import Path
from typing import Final

import msgspec
import PIL
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

from mailer.editions.drawings import rasterise
from mailer.editions.edition import Image
from mailer.editions.encoding import encode
from mailer.editions.kept_file import keep
from mailer.errors import AuthorError

DENSITY: Final = 2
MOST_PIXELS: Final = 60_000_000
MOST_BYTES: Final = 40_000_000
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
# Part of every cache key: raise it when the same file shall become other bytes.
_RECIPE: Final = f"2/{PIL.__version__}"
_TINY: Final = (32, 32)
_SHADES: Final = 6
_TINT: Final = 0.22
_OPAQUE: Final = 250
_HEIC: Final = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1", b"ftypheif", b"ftypavif")

# A picture of more pixels than Pillow trusts is refused, never decoded.
warnings.filterwarnings("error", category=Pillow.DecompressionBombWarning)


def mail_safe(path: Path, width: int, *, cache: Path | None = None) -> Image:
    """
    Turn a picture file into the one that is mailed, to be shown `width` CSS pixels wide.

    The result has twice as many pixels, but never more than a photograph has itself; its `width` and `height` count
    them. The same file gives the same bytes; with a `cache` folder they are made once.

    Raises:
        AuthorError: It isn't there, is of no known kind, broken, too large, or refers to other files.

    """
    name = "/".join(path.parts[-3:])
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise AuthorError(f"the picture can't be read ({problem.strerror}); mend its path or rights", name) from None
    if len(raw) > MOST_BYTES:
        raise AuthorError("the picture is larger than 40 MB; save a smaller copy of it", name)
    key = hashlib.sha256(f"{_RECIPE}/{width}/".encode() + raw).hexdigest()
    kept = cache / f"{key}.picture" if cache else None
    if kept and (found := _kept(kept)):
        return found
    opened = _opened(raw, width * DENSITY, name)
    content, media_type, size = encode(opened)
    suffix = media_type.removeprefix("image/").replace("jpeg", "jpg")
    image = Image(f"{hashlib.sha256(content).hexdigest()[:20]}.{suffix}", media_type, *size, content, ground(opened))
    if kept:
        keep(kept, msgspec.msgpack.encode(image))
    return image


def ground(picture: Pillow.Image) -> str:
    """A light tint of what most of the picture is coloured like, `#RRGGBB`; nothing for one that is seen through."""
    if picture.mode == "RGBA" and min(picture.getchannel("A").tobytes()) < _OPAQUE:
        return ""
    few = picture.convert("RGB").resize(_TINY).quantize(_SHADES)
    most = 3 * few.histogram().index(max(few.histogram()))
    tinted = (round(255 - (255 - channel) * _TINT) for channel in (few.getpalette() or [])[most : most + 3])
    return "#" + "".join(f"{channel:02X}" for channel in tinted)


def _kept(path: Path) -> Image | None:
    try:
        image = msgspec.msgpack.decode(path.read_bytes(), type=Image)
    except (OSError, msgspec.DecodeError):  # not there yet, or cut short: it is made anew
        return None
    return image if image.name.startswith(hashlib.sha256(image.content).hexdigest()[:20]) else None


def _opened(raw: bytes, width: int, name: str) -> Pillow.Image:
    """The picture as RGB or RGBA pixels, at most `width` wide, upright."""
    start = raw[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") and b"<svg" in raw:
        return rasterise(raw, width, name)
    if raw[4:12] in _HEIC:
        raise AuthorError("the picture is HEIC or AVIF, which mail programs don't show; export it as JPEG", name)
    try:
        with Pillow.open(io.BytesIO(raw), formats=FORMATS) as picture:
            return _upright(picture, width, name)
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise _too_large(name) from None
    except PIL.UnidentifiedImageError:
        raise AuthorError(
            "the file is no picture that can be mailed; save it as JPEG, PNG, WebP or SVG", name
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError):
        raise AuthorError("the picture is broken or cut short; save it anew", name) from None


def _upright(picture: Pillow.Image, width: int, name: str) -> Pillow.Image:
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_large(name)
    # A camera held upright stores a landscape and a note; the longer side must be enough for either.
    picture.draft("RGB", (width, width))
    upright = ImageOps.exif_transpose(picture)
    pixels = _in_srgb(upright)
    if pixels.width > width:
        pixels = pixels.resize((width, max(1, round(pixels.height * width / pixels.width))), Pillow.Resampling.LANCZOS)
    return pixels


def _in_srgb(picture: Pillow.Image) -> Pillow.Image:
    """The colours as every screen understands them; wide-gamut photographs would look pale without."""
    transparent = picture.has_transparency_data
    if picture.mode.startswith("I"):  # 16 bits a pixel
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in {"RGB", "CMYK", "L"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            assert converted
            return converted
        except (ImageCms.PyCMSError, OSError):  # a profile that is broken says nothing
            pass
    return picture.convert("RGBA" if transparent else "RGB")


def _too_large(name: str) -> AuthorError:
    return AuthorError(
        f"the picture has more than {MOST_PIXELS // 1_000_000} million pixels; save a smaller copy", name
    )
