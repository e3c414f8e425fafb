"""Commands over what readers are told in their language: find the sentences, and those that lack a translation."""

from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.console import JSON, house, print_json, say

group = typer.Typer(no_args_is_help=True, help="Sentences that readers see, and their translations.")
LANGUAGE = typer.Option("--language", help="The language to look at; all of them without it.")


@group.command("extract")
def extract(context: typer.Context, out: Annotated[Path, typer.Option("--out")] = Path("mailer.pot")) -> None:
    """Write every sentence of templates and code into a catalogue to translate from."""
    from mailer.catalogues import sentences, write_template
    from mailer.errors import OperatorError

    found = sentences(house(context).press.templates)
    try:
        write_template(found, out)
    except OSError as problem:
        raise OperatorError(f"{out} can't be written ({problem.strerror}); name another file with --out") from None
    say(f"{len(found)} sentences in {out}")


@group.command("compile")
def compile_(json: bool = JSON) -> None:
    """Compile the catalogues beside their sources; as long as they are no older, they are what is read."""
    from mailer.catalogues import compile_all
    from mailer.errors import OperatorError

    try:
        made = compile_all()
    except OSError as problem:
        raise OperatorError(f"a catalogue can't be written ({problem.strerror}); make its folder writable") from None
    if json:
        print_json({"files": [str(path) for path in made]})
        return
    for path in made:
        say(str(path))


@group.command("check")
def check(context: typer.Context, language: Annotated[str | None, LANGUAGE] = None, json: bool = JSON) -> None:
    """Name every sentence that a language lacks, or that lost a name in braces; status 1 if there is one."""
    from mailer.catalogues import faults

    found = faults(house(context).press.templates, language)
    if json:
        print_json({"faults": [{"language": each.language, "text": each.text, "fault": each.fault} for each in found]})
    else:
        for each in found:
            say(f'{each.language}: "{each.text}" {each.fault}')
        say(f"{len(found)} faults" if found else "every sentence is translated")
    if found:
        raise typer.Exit(1)
