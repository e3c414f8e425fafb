"""Commands over what an issue looks like: render it to files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say, table

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.editions.edition import Edition

SEGMENT = typer.Option("--segment", help="Only for the readers of this segment.")
LANGUAGE = typer.Option("--language", help="Only in this language.")
COMPONENTS = typer.Option("--components", help="Write the page that shows every piece with its Markdown instead.")
OUT = typer.Option("--out", help="The folder to write to.")


def render(  # noqa: PLR0917 - typer calls it by name
    context: typer.Context,
    issue: Annotated[str | None, typer.Argument(help="The issue's folder, as in 2026-12.")] = None,
    segment: Annotated[str | None, SEGMENT] = None,
    language: Annotated[str | None, LANGUAGE] = None,
    out: Annotated[Path, OUT] = Path("out"),
    components: Annotated[bool, COMPONENTS] = False,
    json: bool = JSON,
) -> None:
    """Write an issue's editions as files: HTML and text to look at, the MJML, and a message as it would be sent."""
    app = house(context)
    if components:
        _show_components(app, out, json=json)
        return
    if issue is None:
        raise typer.BadParameter("name the issue to render, as in 2026-12", param_hint="ISSUE")
    _, compiled = app.compile(issue)
    wanted = chosen(compiled.editions, segment, language)
    files = [_write(app, edition, out) for edition in wanted]
    rows = [
        {
            "language": edition.language,
            "segment": edition.segment,
            "subject": edition.subject,
            "html_bytes": len(edition.html.encode()),
            "files": written,
        }
        for edition, written in zip(wanted, files, strict=True)
    ]
    if json:
        print_json({"issue": compiled.issue, "content_hash": compiled.content_hash, "editions": rows})
        return
    table(
        ["segment", "language", "HTML bytes", "subject"],
        [(row["segment"], row["language"], f"{row['html_bytes']:,}", row["subject"]) for row in rows],
        figures=[2],
    )
    for written in files:
        say(written["html"])
    say(f"content hash {compiled.content_hash}")


def chosen(editions: "tuple[Edition, ...]", segment: str | None, language: str | None) -> "list[Edition]":
    """
    The editions of a segment and a language, or of all.

    Raises:
        OperatorError: There is none.

    """
    from mailer.errors import OperatorError

    for option, wanted, known in (
        ("segment", segment, dict.fromkeys(edition.segment for edition in editions)),
        ("language", language, dict.fromkeys(edition.language for edition in editions)),
    ):
        if wanted is not None and wanted not in known:
            raise OperatorError(f'there is no edition for the {option} "{wanted}"; there is: {", ".join(known)}')
    return [e for e in editions if segment in {None, e.segment} and language in {None, e.language}]


def _write(app: "App", edition: "Edition", out: Path) -> dict[str, str]:
    """Write one edition's files and give their paths."""
    from mailer.editions.sample import sample_html, sample_text
    from mailer.errors import OperatorError

    stem = f"{edition.issue}.{edition.language}.{edition.segment}"
    contents = {
        "html": sample_html(edition, app.imprint).encode(),
        "txt": sample_text(edition, app.imprint).encode(),
        "mjml": edition.mjml.encode(),
        "eml": _message(app, edition),
    }
    try:
        (out / "images").mkdir(parents=True, exist_ok=True)
        for image in edition.images:
            (out / "images" / image.name).write_bytes(image.content)
        for suffix, content in contents.items():
            (out / f"{stem}.{suffix}").write_bytes(content)
    except OSError as problem:
        raise OperatorError(f"{out} can't be written to ({problem.strerror}); name another folder with --out") from None
    return {suffix: str(out / f"{stem}.{suffix}") for suffix in contents}


def _message(app: "App", edition: "Edition") -> bytes:
    """The edition as it would be sent, to nobody, unsigned: its links act for no one, so no secret is needed."""
    from mailer import tokens
    from mailer.audience.greeting import greeting
    from mailer.audience.recipient import Recipient
    from mailer.messages.personalise import personalise_test
    from mailer.messages.stencil import cut_test

    domain = app.letterhead.sender.address.rpartition("@")[2]
    nobody = Recipient(0, f"lector@{domain}", segment=edition.segment, language=edition.language)
    embedded = app.config.content.images == "embedded"
    stencil = cut_test(edition, app.letterhead, prefix="", date=app.clock.now(), embedded=embedded)
    return personalise_test(stencil, nobody, signer=tokens.Signer(["sample"]), greet=greeting).content


def _show_components(app: "App", out: Path, *, json: bool) -> None:
    """Write the page of components, its pictures within it."""
    from mailer.editions.components import components_page
    from mailer.editions.theme import Theme
    from mailer.errors import OperatorError

    issue, compiled = app.press.components()
    page = components_page(issue, compiled.editions[0], app.imprint, Theme.load(app.press.theme))
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "components.html").write_text(page, encoding="utf-8")
    except OSError as problem:
        raise OperatorError(f"{out} can't be written to ({problem.strerror}); name another folder with --out") from None
    if json:
        print_json({"page": str(out / "components.html")})
    else:
        say(str(out / "components.html"))
