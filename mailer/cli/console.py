"""How commands speak: a table or a sentence for people, one JSON document with `--json`, errors in one line."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from mailer.app import App

JSON = typer.Option(False, "--json", help="Print one JSON document and nothing else.")


def house(context: typer.Context) -> "App":
    """The composed application of this run, for the config that `--config` names."""
    from mailer.app import App

    if not isinstance(context.obj, App):
        path: Path | None = context.obj
        context.obj = App.load(path)
        context.find_root().call_on_close(context.obj.close)
    return context.obj


def print_json(document: Any) -> None:
    """Write one JSON document, indented, to standard output."""
    import msgspec

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Write a line for a person to standard output as it stands: a server's words may hold brackets of their own."""
    from rich.console import Console

    Console(highlight=False, soft_wrap=True, markup=False, emoji=False).print(text)


def say_marked(markup: str, **values: object) -> None:
    """Write a line in rich's markup; what takes the place of its `{names}` stands as it is, brackets and all."""
    from rich.console import Console
    from rich.markup import escape

    shown = {name: escape(str(value)) for name, value in values.items()}
    Console(highlight=False, soft_wrap=True, emoji=False).print(markup.format(**shown))


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, figures: Sequence[int] = ()) -> None:
    """Print rows under headings; the columns counted in `figures` are aligned to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for index, heading in enumerate(headings):
        drawn.add_column(heading, justify="right" if index in figures else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(str(cell)) for cell in row))
    Console(highlight=False).print(drawn)
