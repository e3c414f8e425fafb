"""What several commands print alike: streams of JSON, progress, and who is at the keyboard."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, Final

_MEASURED: Final = 500


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


def print_rows(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, figures: Sequence[int] = ()) -> None:
    """Print rows under headings as they come, however many; the first ones say how wide the columns are."""
    lines = ([str(cell) for cell in row] for row in rows)
    first = list(islice(lines, _MEASURED))
    widths = [max(len(row[index]) for row in [headings, *first]) for index in range(len(headings))]
    widths[-1] = widths[-1] if len(headings) - 1 in figures else 0
    for row in chain([headings], first, lines):
        cells = zip(row, widths, strict=False)
        padded = [cell.rjust(wide) if at in figures else cell.ljust(wide) for at, (cell, wide) in enumerate(cells)]
        print("  ".join(padded).rstrip())


@contextmanager
def import_progress() -> Iterator[Callable[[int], None] | None]:
    """A bar on a terminal that counts rows, and none in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = [SpinnerColumn(), TextColumn("{task.completed:,.0f} rows"), TextColumn("{task.description}")]
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(rows: int) -> None:
            took = bar.tasks[task].elapsed
            bar.update(task, completed=rows, description=f"{rows / took:,.0f} rows/s" if took else "")

        yield show


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A turning mark with a word of what is done, on a terminal; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield
