"""What several commands print alike: streams of JSON, progress, and who is at the keyboard."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any


def operator() -> str:
    """Who runs the command, for the audit: the login name."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


def print_json_lines(documents: Iterable[Any]) -> None:
    """Write one JSON array, an element a line, without ever holding it whole."""
    import msgspec

    encode = msgspec.json.Encoder().encode
    out = sys.stdout.buffer
    opening = b"["
    for document in documents:
        out.write(opening + b"\n" + encode(document))
        opening = b","
    out.write(b"[]\n" if opening == b"[" else b"\n]\n")
    sys.stdout.flush()


@contextmanager
def import_progress() -> Iterator[Callable[[int], None] | None]:
    """A bar on a terminal that counts rows, and none in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    shown = ("{task.completed:,.0f} rows", "{task.speed:,.0f} rows/s")
    columns = [SpinnerColumn(), *(TextColumn(each) for each in shown[:1]), TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda rows: bar.update(task, completed=rows)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A turning mark with a word of what is done, on a terminal; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield
