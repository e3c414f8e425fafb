"""The pages' colours can be read, by day and by night (WCAG 2.2 1.4.3, 1.4.11)."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "templates/pages/page.css").read_text(encoding="utf-8")
TEXT, EDGE = 4.5, 3.0
PAIRS = [
    ("ink", "paper", TEXT),
    ("ink", "card", TEXT),
    ("quiet", "paper", TEXT),
    ("quiet", "card", TEXT),
    ("blue", "paper", TEXT),
    ("on-blue", "blue", TEXT),
    ("red", "paper", TEXT),
    ("edge", "paper", EDGE),
    ("edge", "card", EDGE),
]


def palette(scheme: str) -> dict[str, str]:
    """The colours of a scheme: the dark one overrides some of the light one's."""
    light, dark = CSS.split("@media (prefers-color-scheme: dark)", 1)
    colour = re.compile(r"--([\w-]+): (#[0-9a-f]{6})")
    found = dict(colour.findall(light))
    return found | dict(colour.findall(dark.partition("\n}\n")[0])) if scheme == "dark" else found


def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb`."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS)
def test_contrast(scheme: str, front: str, ground: str, least: float) -> None:
    """Text stands out 4.5:1 from its ground, the edge of a field 3:1."""
    colours = palette(scheme)
    lights = sorted((luminance(colours[front]), luminance(colours[ground])))
    assert (lights[1] + 0.05) / (lights[0] + 0.05) >= least
