"""Pictures: alt texts that say nothing, too few pixels, too much weight."""

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from PIL import Image as Pillow

from mailer.editions.checks.remark import Remark, error, warning
from mailer.editions.edition import Compiled
from mailer.issues.issue import Issue, Picture

WIDEST: Final = 1200
# In a column, a card or a row a picture is widest on a telephone: 375 to 430 CSS pixels.
WIDE_ON_A_PHONE: Final = 800
_NARROW: Final = frozenset({"left", "right", "signature"})
TOTAL_WEIGHT: Final = 1_000_000
LONGEST_ALT: Final = 250
# A picture is shown as wide as the column: one taller than 4:5 pushes the text off a phone's screen.
TALLEST: Final = 1.25
FLATTEST: Final = 0.2
HEAVIEST: Final = 300_000
_ORIENTATION: Final = 0x0112  # EXIF: from 5 on the picture lies on its side
_TURNED: Final = 5
_FILE_NAME: Final = re.compile(
    r".*\.(?:jpe?g|png|gif|webp|svg|heic)|(?:img|dsc|dscn|foto|image|imagen)[-_ ]?\d*", re.IGNORECASE
)


def pictures(issue: Issue, compiled: Compiled | None) -> Iterator[Remark]:
    """What the pictures family has to say about an issue."""
    for section in issue.sections:
        for article in section.articles:
            if article.picture:
                yield from _alt(article.picture, article.title, issue)
                is_wide = not section.layout and article.layout not in _NARROW
                yield from _pixels(article.picture, issue, WIDEST if is_wide else WIDE_ON_A_PHONE)
    for edition in compiled.editions if compiled else ():
        weight = sum(len(image.content) for image in {image.name: image for image in edition.images}.values())
        if edition.language == issue.language and weight > TOTAL_WEIGHT:
            told = (
                f"the pictures for {edition.segment} weigh {weight // 1000} kB together; leave some out, below 1000 kB"
            )
            yield warning("pictures-weight", issue.where(), told)
        for image in edition.images if edition.language == issue.language else ():
            if len(image.content) > HEAVIEST:
                told = (
                    f"one picture weighs {len(image.content) // 1000} kB when it is sent; use a plainer or smaller one"
                )
                yield warning("picture-weight", issue.where(), told)


def _alt(picture: Picture, title: str, issue: Issue) -> Iterator[Remark]:
    where = issue.where(picture.line)
    if _FILE_NAME.fullmatch(picture.alt) or picture.alt == PurePath(picture.path).stem:
        yield warning(
            "alt-file-name", where, f'the alt text "{picture.alt}" is a file\'s name; say what the picture shows'
        )
    elif picture.alt.casefold() == title.casefold():
        told = "the alt text is the title over again, which is then read aloud twice; say what the picture shows"
        yield warning("alt-repeated", where, told)
    elif len(picture.alt) > LONGEST_ALT:
        yield warning("alt-long", where, f"the alt text has {len(picture.alt)} characters; say it in {LONGEST_ALT}")


def _pixels(picture: Picture, issue: Issue, enough: int) -> Iterator[Remark]:
    if picture.path.lower().endswith(".svg"):
        return
    where = issue.where(picture.line)
    try:
        with Pillow.open(issue.folder / picture.path) as opened:
            width, height = opened.size
            moves = getattr(opened, "is_animated", False)
            if opened.getexif().get(_ORIENTATION, 1) >= _TURNED:
                width, height = height, width
    except (OSError, Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        yield error(
            "picture-broken", where, f'"{picture.path}" can\'t be read as a picture; save it anew as JPEG or PNG'
        )
        return
    if moves:
        told = f'"{picture.path}" is animated, and only its first frame is mailed; choose a still that says it all'
        yield warning("picture-animated", where, told)
    ratio = height / width
    if not FLATTEST <= ratio <= TALLEST:
        shape = "taller than it is wide" if ratio > 1 else "a mere strip"
        told = f'"{picture.path}" is {shape} ({width}×{height}) and would not sit well; crop it to about 16:9'
        yield warning("picture-ratio", where, told)
    if width < enough:
        told = f'"{picture.path}" is {width} pixels wide and looks sharp from {enough} on; use a larger copy'
        yield warning("picture-small", where, told)
