"""`mailer proof`: an issue as files to show around: pages, pictures of them, a PDF, the text."""

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mailer.chromium import browser, print_pdf, screenshot
from mailer.cli.console import JSON, house, print_json, say, say_marked
from mailer.cli.options import Issue

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.editions.edition import Edition

WIDTHS: Final = (375, 640, 800)


def proof(
    context: typer.Context,
    issue: Issue,
    *,
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = Path("out/proof"),
    segment: Annotated[
        str | None, typer.Option("--segment", help="As this segment gets it; the first if left out.")
    ] = None,
    language: Annotated[str | None, typer.Option("--language", help="Only in this language.")] = None,
    json: bool = JSON,
) -> None:
    """Write an issue as files to show around: HTML, pictures for phone and desktop, light and dark, a PDF, the text."""
    from mailer.cli.editions import chosen
    from mailer.cli.presenting import waiting

    app = house(context)
    _, compiled = app.compile(issue)
    wanted = segment or next(iter(app.config.segments))
    editions = chosen(compiled.editions, wanted, language)
    with waiting("drawing the proofs"):
        files = [path for edition in editions for path in _proofs(app, edition, out)]
    note = (
        "" if browser() else "no chromium is installed, so there are no pictures and no PDF; install chromium for them"
    )
    if json:
        print_json({"issue": issue, "files": [str(path) for path in files], "note": note})
        return
    for path in files:
        say(str(path))
    if note:
        say_marked("[yellow]{note}[/]", note=note)


def _proofs(app: "App", edition: "Edition", out: Path) -> list[Path]:
    """Every file of one edition's proof."""
    from mailer.editions.printing import printable
    from mailer.editions.sample import sample_text

    stem = f"{edition.issue}.{edition.language}.{edition.segment}"
    page, text = out / f"{stem}.html", out / f"{stem}.txt"
    write_page(app, edition, page)
    text.write_text(sample_text(edition, app.imprint), encoding="utf-8")
    made = [page, text]
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            picture = out / f"{stem}.{width}.{scheme}.png"
            if screenshot(page, picture, width=width, dark=scheme == "dark"):
                made.append(picture)
    with NamedTemporaryFile(mode="w", dir=out, suffix=".html", encoding="utf-8") as paper:
        paper.write(printable(page.read_text(encoding="utf-8")))
        paper.flush()
        if print_pdf(Path(paper.name), pdf := out / f"{stem}.pdf"):
            made.append(pdf)
    return made


def write_page(app: "App", edition: "Edition", page: Path) -> None:
    """
    Write an edition as a page that opens offline, its pictures in `images` beside it.

    Raises:
        OperatorError: The folder can't be written to.

    """
    from mailer.editions.sample import sample_html
    from mailer.errors import OperatorError

    try:
        (page.parent / "images").mkdir(parents=True, exist_ok=True)
        for image in edition.images:
            (page.parent / "images" / image.name).write_bytes(image.content)
        page.write_text(sample_html(edition, app.imprint), encoding="utf-8")
    except OSError as problem:
        raise OperatorError(f"{page.parent} can't be written to ({problem.strerror}); name another folder") from None
