"""How far apart two colours are, by WCAG 2.2's measure, and what a dark mode that nobody asked for makes of them."""

from typing import Final

AA: Final = 4.5
_LINEAR_BELOW: Final = 0.04045
# Chromium's dark mode: what counts as a light ground and as dark text (weights of 255), and where lightness turns.
_BRIGHTNESS: Final = (0.299, 0.587, 0.114)
_LIGHT_GROUND: Final = 205
_DARK_TEXT: Final = 150
_TURNED: Final = 105.4
# sRGB and CIE XYZ under D65, and CIELAB's knee.
_XYZ: Final = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.072175), (0.0193339, 0.119192, 0.9503041))
_RGB: Final = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.969266, 1.8760108, 0.041556),
    (0.0556434, -0.2040259, 1.0572252),
)
_WHITE: Final = (0.95047, 1.0, 1.08883)
_CUBE: Final = 0.008856


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


def forced_dark(colour: str, *, ground: bool) -> str:
    """
    A colour as mail programs that force a dark mode show it: light grounds and dark text change their lightness.

    As Chromium's engine does it, which Gmail's and Samsung's apps share: grounds brighter than 205 of 255 and text
    darker than 150 are turned round in CIELAB.

    >>> forced_dark("#FFFFFF", ground=True), forced_dark("#0B2A5B", ground=True)
    ('#121212', '#0B2A5B')
    """
    brightness = sum(share * channel for share, channel in zip(_BRIGHTNESS, _channels(colour), strict=True))
    if (brightness <= _LIGHT_GROUND) if ground else (brightness >= _DARK_TEXT):
        return colour
    lightness, a, b = _to_lab(colour)
    return _from_lab(min(_TURNED - lightness, 100.0), a, b)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _to_lab(colour: str) -> tuple[float, float, float]:
    linear = [
        (c / 255 / 12.92) if c / 255 <= _LINEAR_BELOW else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in _channels(colour)
    ]
    x, y, z = (
        sum(m * c for m, c in zip(row, linear, strict=True)) / white for row, white in zip(_XYZ, _WHITE, strict=True)
    )
    fx, fy, fz = (t ** (1 / 3) if t > _CUBE else (903.3 * t + 16) / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _from_lab(lightness: float, a: float, b: float) -> str:
    fy = (lightness + 16) / 116
    xyz = [
        (f**3 if f**3 > _CUBE else (116 * f - 16) / 903.3) * white
        for f, white in zip((fy + a / 500, fy, fy - b / 200), _WHITE, strict=True)
    ]
    linear = (sum(m * v for m, v in zip(row, xyz, strict=True)) for row in _RGB)
    shown = (12.92 * v if v <= 0.0031308 else 1.055 * max(v, 0.0) ** (1 / 2.4) - 0.055 for v in linear)  # noqa: PLR2004 - sRGB
    return "#" + "".join(f"{round(255 * min(max(v, 0.0), 1.0)):02X}" for v in shown)
