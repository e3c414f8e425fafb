"""How far apart two colours are, by WCAG 2.2's measure."""

from typing import Final

AA: Final = 4.5
_LINEAR_BELOW: Final = 0.04045


def luminance(colour: str) -> float:
    """
    The relative luminance of `#RRGGBB` (WCAG 2.2, "relative luminance").

    >>> luminance("#FFFFFF")
    1.0
    """
    channels = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= _LINEAR_BELOW else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """
    The contrast of two colours, from 1 to 21.

    >>> round(contrast("#000000", "#FFFFFF"))
    21
    """
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
