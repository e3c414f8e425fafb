"""Pictures of pages in a real browser, and how far two of them differ."""

import io
from pathlib import Path

import numpy as np
from PIL import Image


def shots(browser, path: Path, html: str, views: list[tuple[int, str]]) -> list[np.ndarray]:
    """Pictures of a whole page, one a view (width and colour scheme)."""
    path.write_text(html, encoding="utf-8")
    page = browser.new_page()
    taken = []
    try:
        # Nothing but the files of the test may be asked for.
        page.route(lambda url: not url.startswith("file:"), lambda route: route.abort())
        page.goto(path.as_uri())
        for width, scheme in views:
            page.set_viewport_size({"width": width, "height": 300})
            page.emulate_media(color_scheme=scheme)
            taken.append(np.asarray(Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")))
    finally:
        page.close()
    return taken


def different(one: np.ndarray, other: np.ndarray, *, by: int) -> float:
    """The share of pixels that differ by more than `by` of 255 in a channel."""
    height = max(one.shape[0], other.shape[0])
    width = max(one.shape[1], other.shape[1])
    padded = [
        np.pad(each, ((0, height - each.shape[0]), (0, width - each.shape[1]), (0, 0))).astype(np.int16)
        for each in (one, other)
    ]
    return float((np.abs(padded[0] - padded[1]).max(axis=2) > by).mean())
