"""The rows that couldn't go in, in the list's own columns with line and reason, ready to be mended and imported."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from mailer.audience.folding import fold
from mailer.audience.importing.wording import OWN_HEADINGS, Wording

SHOWN: Final = 100
"""So many rejects an account names; the file holds them all."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def disarmed(cell: str) -> str:
    """
    The cell as text for every spreadsheet: one that would start a formula gets an apostrophe.

    >>> disarmed("=HYPERLINK(1)"), disarmed("Nabón")
    ("'=HYPERLINK(1)", 'Nabón')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


class Rejects:
    """
    Collects rejected rows; the file appears only when there is one, and only when `keep` is called.

    The file is written beside its final place while rows come, so that a million rejects need no memory.
    """

    def __init__(self, path: Path | None, headings: Sequence[str], separator: str, say: Wording) -> None:
        self.path = path
        self.count = 0
        self.shown: list[dict[str, Any]] = []
        own = [column for column, heading in enumerate(headings) if fold(heading) not in OWN_HEADINGS]
        self._columns = own
        self._headings = [headings[column] for column in own]
        self._separator = separator
        self._say = say
        self._file: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
            self._unfinished.unlink(missing_ok=True)

    @property
    def _unfinished(self) -> Path:
        assert self.path is not None
        return self.path.with_name(f".{self.path.name}.unfinished")

    def add(self, rows: Iterable[tuple[int, Sequence[str], Sequence[str]]]) -> None:
        """Add rows: line, cells, and the reasons."""
        for line, cells, reasons in rows:
            self.count += 1
            if len(self.shown) < SHOWN:
                self.shown.append({"line": line, "reason": "; ".join(reasons)})
            if self.path is not None:
                self._write(line, cells, "; ".join(reasons))

    def _write(self, line: int, cells: Sequence[str], reason: str) -> None:
        if self._writer is None:
            self._file = self._unfinished.open("w", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file, delimiter=self._separator)
            self._writer.writerow([*self._headings, self._say.line, self._say.reason])
        own = [disarmed(cells[column]) if column < len(cells) else "" for column in self._columns]
        self._writer.writerow([*own, line, disarmed(reason)])

    def keep(self) -> str | None:
        """Give the file its name, if there is one, and say which."""
        if self._file is None or self.path is None:
            return None
        self._file.close()
        place, number = self.path, 1
        while place.exists():
            number += 1
            place = self.path.with_name(self.path.name.replace(".rejects", f"-{number}.rejects"))
        self._unfinished.replace(place)
        self._file = None
        return str(place)
