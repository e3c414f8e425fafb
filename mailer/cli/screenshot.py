"""Pictures of pages by Debian's chromium, where there is one."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_TALLEST: Final = 12_000  # CSS pixels; what stays empty below the page is cut off


def browser() -> str | None:
    """The path of a chromium, or None."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def screenshot(page: Path, target: Path, *, width: int = 700, dark: bool = False) -> bool:
    """Draw the whole of an HTML file into a PNG; False if there is no browser or it fails."""
    program = browser()
    if program is None:
        return False
    with tempfile.TemporaryDirectory() as profile:
        arguments = [
            program,
            *_FLAGS,
            *(["--blink-settings=preferredColorScheme=0"] if dark else []),
            f"--user-data-dir={profile}",
            f"--window-size={width},{_TALLEST}",
            f"--screenshot={target}",
            page.absolute().as_uri(),
        ]
        try:
            subprocess.run(arguments, capture_output=True, timeout=60, check=True)  # noqa: S603
        except (subprocess.SubprocessError, OSError):
            return False
    if not target.exists():
        return False
    _cut_empty_end(target)
    return True


def _cut_empty_end(picture: Path) -> None:
    from PIL import Image, ImageChops

    with Image.open(picture) as opened:
        image = opened.convert("RGB")
    ground = Image.new("RGB", image.size, image.getpixel((0, image.height - 1)))
    box = ImageChops.difference(image, ground).getbbox()
    if box:
        image.crop((0, 0, image.width, min(image.height, box[3] + 24))).save(picture, optimize=True)
