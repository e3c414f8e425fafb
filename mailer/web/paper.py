"""An issue's PDF edition: printed once by chromium, where there is one, and kept by the edition's hash."""

import tempfile
from pathlib import Path

from mailer import chromium
from mailer.editions.edition import Edition
from mailer.web.newsstand import Newsstand


def paper(newsstand: Newsstand, edition: Edition, cache: Path) -> bytes | None:
    """The PDF of what anybody may read of an issue; nothing where no browser can print it."""
    kept = cache / f"{edition.hash}.pdf"
    return kept.read_bytes() if kept.exists() or _print(newsstand, edition, kept) else None


def _print(newsstand: Newsstand, edition: Edition, kept: Path) -> bool:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        page, printed = Path(folder, "page.html"), Path(folder, "page.pdf")
        # Pictures lie beside the page: to print it asks nobody for anything.
        page.write_text(newsstand.page(edition).replace('"/images/', '"images/'), encoding="utf-8")
        (page.parent / "images").mkdir()
        for image in edition.images:
            (page.parent / "images" / image.name).write_bytes(image.content)
        if not chromium.print_pdf(page, printed):
            return False
        printed.replace(kept)
    return True
