"""The check's report as one HTML page that stands alone: thumbnails, articles, findings."""

import base64
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailer.chromium import browser, screenshot
from mailer.cli.proof import write_page

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.editions.edition import Edition, Image
    from mailer.preflight import Judged

_SHOTS: Final = (("Desktop", 640, False), ("Phone", 375, False), ("Dark", 640, True))
_THUMBNAIL: Final = 320
_TALLEST: Final = 1600
_PICTURE: Final = 240


def write_report(app: "App", judged: "Judged", target: Path) -> None:
    """
    Write the page.

    Raises:
        OperatorError: The file can't be written.

    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from mailer.editions.theme import Theme
    from mailer.editions.theme_css import theme_css
    from mailer.errors import OperatorError

    theme = Theme.load(app.press.theme)
    jinja = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    page = jinja.get_template("report.html").render(
        css=theme_css(theme), shots=_shots(app, judged), has_browser=browser() is not None, **_values(app, judged)
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page, encoding="utf-8")
    except OSError as problem:
        raise OperatorError(f"{target} can't be written ({problem.strerror}); name another file") from None


def _values(app: "App", judged: "Judged") -> dict[str, Any]:
    from mailer.editions.checks.catalogue import family
    from mailer.editions.checks.placing import placed
    from mailer.editions.checks.weight import MOST_BYTES

    found = placed(judged.issues, judged.report)
    pieces = [piece for issue in judged.issues for piece in _pieces(judged, issue.language)]
    anchors = {(piece["language"], piece["anchor"]) for piece in pieces}
    return {
        "report": judged.report,
        "now": app.clock.now(),
        "title": judged.issues[0].title if judged.issues else judged.report.issue,
        "subject": judged.issues[0].subject if judged.issues else "",
        "language": judged.issues[0].language if judged.issues else "es",
        "pieces": pieces,
        "findings": found,
        "elsewhere": [each for each in found if (each.language, each.anchor) not in anchors],
        "family": family,
        "editions": judged.compiled.editions if judged.compiled else (),
        "most_bytes": MOST_BYTES,
    }


def _pieces(judged: "Judged", language: str) -> list[dict[str, Any]]:
    """Sections and articles in reading order, each with its picture and its share of the HTML."""
    from mailer.editions.checks.weight import shares

    issue = next(issue for issue in judged.issues if issue.language == language)
    assert judged.compiled
    edition = next(edition for edition in judged.compiled.editions if edition.language == language)
    weights, pictures = shares(issue, edition), _pictures(edition)
    found = []
    for section in issue.sections:
        if section.title:
            found.append(
                {
                    "anchor": section.id,
                    "title": section.title,
                    "language": language,
                    "line": section.line,
                    "is_article": False,
                }
            )
        for article in section.articles:
            image = pictures.get(article.picture.alt) if article.picture else None
            found.append(
                {
                    "anchor": article.id,
                    "title": article.title,
                    "language": language,
                    "line": article.line,
                    "bytes": weights.get(article.title, 0),
                    "picture": _thumbnail(image) if image else "",
                    "alt": article.picture.alt if article.picture else "",
                    "is_article": True,
                }
            )
    return found


def _pictures(edition: "Edition") -> "dict[str, Image]":
    """The edition's pictures by their alt texts."""
    from mailer.editions.checks.html import parsed

    by_name = {image.name: image for image in edition.images}
    shown = ((str(img.get("alt", "")), str(img.get("src", ""))) for img in parsed(edition.html).iter("img"))
    return {alt: by_name[name] for alt, src in shown if (name := src.rpartition("/")[2]) in by_name}


def _thumbnail(image: "Image") -> str:
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(image.content)) as opened:
        picture = opened.convert("RGBA")
    picture.thumbnail((_PICTURE, _PICTURE))
    return _data_url(Pillow.alpha_composite(Pillow.new("RGBA", picture.size, "white"), picture).convert("RGB"))


def _data_url(picture: Any) -> str:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"


def _shots(app: "App", judged: "Judged") -> list[dict[str, str]]:
    """The first edition as it looks, small; none where there is no browser."""
    if judged.compiled is None or browser() is None:
        return []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page = folder / "page.html"
        write_page(app, judged.compiled.editions[0], page)
        made = []
        for title, width, dark in _SHOTS:
            picture = folder / f"{title}.png"
            if screenshot(page, picture, width=width, height=_TALLEST, dark=dark):
                made.append({"title": title, "url": _shrunk(picture)})
    return made


def _shrunk(path: Path) -> str:
    from PIL import Image as Pillow

    with Pillow.open(path) as opened:
        picture = opened.convert("RGB")
    height = round(picture.height * _THUMBNAIL / picture.width)
    return _data_url(picture.resize((_THUMBNAIL, height), Pillow.Resampling.LANCZOS))
