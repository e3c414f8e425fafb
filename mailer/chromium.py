"""What Debian's chromium, where there is one, makes of a page: its picture, its PDF, the page after its scripts ran."""

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
_SECONDS: Final = 90
_MARGIN: Final = 24
_TALLEST: Final = 12_000  # CSS pixels; what stays empty below the page is cut off


def browser() -> str | None:
    """The path of a chromium, or None."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def screenshot(page: Path, target: Path, *, width: int = 700, height: int = _TALLEST, dark: bool = False) -> bool:
    """Draw an HTML file, at most `height` of it, into a PNG; False if there is no browser or it fails."""
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    if not _run([*scheme, f"--window-size={width},{height}", f"--screenshot={target}"], page, target):
        return False
    _cut_empty_end(target)
    return True


def print_pdf(page: Path, target: Path) -> bool:
    """Print an HTML file into a PDF; False if there is no browser or it fails."""
    return _run(["--no-pdf-header-footer", f"--print-to-pdf={target}"], page, target)


def finished(page: Path) -> str:
    """The HTML of a file after its scripts have run; nothing if there is no browser or it fails."""
    return _ask(["--virtual-time-budget=20000", "--dump-dom"], page) or ""


def _run(orders: list[str], page: Path, target: Path) -> bool:
    return _ask(orders, page) is not None and target.exists()


def _ask(orders: list[str], page: Path) -> str | None:
    """What the browser prints; None if there is no browser or it fails."""
    program = browser()
    if program is None:
        return None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        arguments = [program, *_FLAGS, *orders, f"--user-data-dir={profile}", page.absolute().as_uri()]
        try:
            done = subprocess.run(arguments, capture_output=True, timeout=_SECONDS, check=True)  # noqa: S603 - a program of the system, our own page
        except (subprocess.SubprocessError, OSError):
            return None
    return done.stdout.decode(errors="replace")


def _cut_empty_end(picture: Path) -> None:
    from PIL import Image, ImageChops

    with Image.open(picture) as opened:
        image = opened.convert("RGB")
    ground = Image.new("RGB", image.size, image.getpixel((0, image.height - 1)))
    box = ImageChops.difference(image, ground).getbbox()
    if box:
        # Where the page's own ground ends with it, what is below belongs to the window and not to the page.
        is_same_ground = image.getpixel((0, box[3] - 1)) == ground.getpixel((0, 0))
        height = min(image.height, box[3] + (_MARGIN if is_same_ground else 0))
        image.crop((0, 0, image.width, height)).save(picture, optimize=True)
