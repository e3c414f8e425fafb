"""
An xlsx read as it streams (ECMA-376, part 1, 18): a row at a time, so that memory doesn't grow with the sheet.

What the sheet says of its own size is not believed, and a formula counts for the value that was saved with it.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from posixpath import join, normpath
from string import digits
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

from lxml import etree

from mailer.audience.importing.beside import Beside, column_of, place_of, range_of

WIDEST: Final = 1000
_DAYS: Final = frozenset({14, 15, 16, 17, 22, 27, 30, 31, 36, 50, 57})  # 18.8.30; the others with days are East Asian
_ASIDE: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_MOST_SHEETS: Final = 1000
_LAST_ROW: Final = 1 << 20
_LAST_DAY: Final = 2_958_465  # 9999-12-31
_EXACT: Final = 1e15
_KEPT: Final = 96 << 20
_TOGETHER: Final = 100
GUARDED: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


class Unreadable(ValueError):
    """The package is no workbook that can be read; the message says what is wrong with it."""


class FarCell(ValueError):
    """A cell stands further to the right than any list is wide, or where no sheet has a cell."""


class Book:
    """A workbook's sheets, the visible ones first, and the texts and styles that its cells refer to."""

    def __init__(self, package: ZipFile) -> None:
        self._package = package
        self._parts = {name.replace("\\", "/").lower(): name for name in package.namelist()}
        self._path = self._target("", "officedocument") or "xl/workbook.xml"
        sheets: list[tuple[bool, str, str]] = []
        self._first_day = date(1899, 12, 30)  # as if 1900 had been a leap year, which Excel holds it for
        targets = self._targets(self._path)
        for element in self._read(self._path, "sheet", "workbookPr"):
            if element.tag.endswith("workbookPr"):
                if element.get("date1904") in {"1", "true"}:
                    self._first_day = date(1904, 1, 1)
                continue
            relation = next((value for key, value in element.items() if key.endswith("}id")), "")
            hidden = element.get("state", "visible") != "visible"
            if len(sheets) > _MOST_SHEETS:
                raise Unreadable("it has more sheets than anybody could leaf through")
            if relation in targets:
                sheets.append((hidden, element.get("name", ""), targets[relation][1]))
        self._sheets = {name: part for _, name, part in sorted(sheets, key=lambda sheet: sheet[0])}
        self._texts: Texts | None = None
        self._dated: Sequence[bool] | None = None

    @property
    def names(self) -> Sequence[str]:
        """The sheets' names."""
        return tuple(self._sheets)

    def beside(self, sheet: str) -> Beside:
        """
        What a sheet says beside its cells; it stands behind them, so that they are read once for it.

        Raises:
            Unreadable: The sheet is broken.

        """
        part, beside = self._sheets[sheet], Beside()
        away = self._targets(part, external=True)
        for element in self._read(part, "row", "mergeCell", "hyperlink"):
            if element.tag.endswith("row"):
                beside.hidden += element.get("hidden") in {"1", "true"} and any(map(len, element))
                continue
            place = element.get("ref", "")
            if element.tag.endswith("mergeCell"):
                beside.merge(filter(None, [range_of(place)]))
            elif relation := next((value for key, value in element.items() if key.endswith("}id")), ""):
                beside.link(place_of(place), away.get(relation, ("", ""))[1])
        return beside

    def rows(self, sheet: str) -> Iterator[tuple[int, list[str]]]:
        """
        The rows of a sheet that aren't empty, each behind its number.

        Raises:
            Unreadable: The sheet is broken, or refers to what isn't there.
            FarCell: A cell is far from the others.

        """
        number = 0
        for row in self._read(self._sheets[sheet], "row"):
            number = _number_of(row.get("r"), number)
            if len(row) and (cells := self._cells(row)):
                yield number, cells

    def _cells(self, row: Any) -> list[str]:
        cells: list[str] = []
        column = -1
        for cell in row:
            place = cell.get("r")
            column = column_of(place.rstrip(digits)) if place else column + 1
            if text := self._text(cell):
                if column >= WIDEST:
                    raise FarCell(place)
                if column != len(cells):
                    cells.extend([""] * (column - len(cells)))
                    del cells[column:]
                cells.append(text)
        return cells

    def _text(self, cell: Any) -> str:
        """A cell as it reads on the screen; an error in a formula reads as nothing."""
        value = next((child.text for child in cell if child.tag.endswith("}v")), None)
        kind = cell.get("t")
        if value and kind == "s":
            return self._shared(value)
        if kind == "inlineStr":
            return _written(cell[-1]) if len(cell) else ""
        if not value or kind == "e":
            return ""
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        return str(value) if kind in {"str", "d"} else self._number(value, cell.get("s"))

    def _shared(self, value: str) -> str:
        if self._texts is None:
            self._texts = self._read_texts()
        try:
            return self._texts[int(value)]
        except (IndexError, ValueError):
            raise Unreadable(f"a cell refers to text {value[:20]!r}, which the workbook doesn't hold") from None

    def _read_texts(self) -> "Texts":
        texts = Texts()
        for item in self._read(self._target(self._path, "sharedstrings") or "xl/sharedStrings.xml", "si"):
            texts.add(_written(item))
        return texts

    def _number(self, value: str, style: str | None) -> str:
        try:
            number = float(value)
        except ValueError:
            return value
        if style and self._is_day(style) and 0 < number < _LAST_DAY:
            at = datetime.combine(self._first_day, datetime.min.time()) + timedelta(days=number)
            return str(at.date()) if number.is_integer() else str(at.replace(microsecond=0))
        if value.isdecimal():
            return value
        return str(int(number)) if number.is_integer() and abs(number) < _EXACT else repr(number)

    def _is_day(self, style: str) -> bool:
        if self._dated is None:
            self._dated = self._styles()
        return style.isdecimal() and int(style) < len(self._dated) and self._dated[int(style)]

    def _styles(self) -> Sequence[bool]:
        """Of each cell format (18.8.10), whether its numbers are days."""
        part = self._target(self._path, "styles") or "xl/styles.xml"
        if part.lower() not in self._parts:
            return ()
        formats: dict[str, str] = {}
        dated: Sequence[bool] = ()
        for element in self._read(part, "numFmt", "cellXfs"):
            if element.tag.endswith("numFmt"):
                formats[element.get("numFmtId", "")] = element.get("formatCode", "")
            else:
                dated = [_shows_day(each.get("numFmtId", "0"), formats) for each in element]
        return dated

    def _target(self, part: str, kind: str) -> str | None:
        found = (target for of, target in self._targets(part).values() if of.lower().endswith(kind))
        return next(found, None)

    def _targets(self, part: str, *, external: bool = False) -> dict[str, tuple[str, str]]:
        """
        What a part is related to, by the relation's number: its kind and the other part (part 2, 9.3).

        What leads out of the package is asked for by itself, and never followed.
        """
        folder, _, name = part.rpartition("/")
        relations = f"{folder}/_rels/{name}.rels".removeprefix("/")
        if relations.lower() not in self._parts:
            return {}
        found: dict[str, tuple[str, str]] = {}
        for each in self._read(relations, "Relationship"):
            target = each.get("Target", "")
            if external is (each.get("TargetMode") == "External"):
                within = target if external else normpath(join("/", folder, target.replace("\\", "/"))).lstrip("/")
                found[each.get("Id", "")] = each.get("Type", ""), within
        return found

    def _read(self, part: str, *tags: str) -> Iterator[Any]:
        """The elements of those names in a part, each when it is whole; it is gone when the next one comes."""
        name = self._parts.get(part.lower())
        if name is None:
            raise Unreadable(f"the part {part} is missing")
        try:
            with self._package.open(name) as file:
                for _, element in etree.iterparse(file, tag=[f"{{*}}{tag}" for tag in tags], **GUARDED):
                    yield element
                    element.clear()
                    parent = element.getparent()
                    if parent is not None and len(parent) > _TOGETHER:
                        del parent[:-1]
        except (etree.XMLSyntaxError, BadZipFile, EOFError) as problem:
            raise Unreadable(str(problem)) from None


class Texts:
    """Texts by their number, end to end in one piece: a million of them cost little more than their letters."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def add(self, text: str) -> None:
        """Put one behind the others."""
        self._bytes += text.encode("utf-8", "replace")
        self._ends.append(len(self._bytes))
        if len(self._bytes) > _KEPT:
            raise MemoryError

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            raise IndexError(number)
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode()


def _written(item: Any) -> str:
    """The text of a rich or plain string (18.4.8), without how Japanese words are pronounced."""
    if len(item) == 1 and item[0].tag.endswith("}t"):
        return item[0].text or ""
    return "".join(
        each.text or ""
        for each in item.iter("{*}t")
        if (parent := each.getparent()) is None or not parent.tag.endswith("}rPh")
    )


def _number_of(written: str | None, before: int) -> int:
    """The number of a row, which need not say it."""
    if not written:
        return before + 1
    if not (written.isascii() and written.isdecimal() and 0 < int(written[:9]) <= _LAST_ROW and len(written) < 9):  # noqa: PLR2004
        raise FarCell(written[:20])
    return int(written)


def _shows_day(number: str, formats: dict[str, str]) -> bool:
    """
    Whether a number format shows a day.

    >>> _shows_day("14", {}), _shows_day("164", {"164": 'dd" de "mmm'}), _shows_day("165", {"165": '0.00" dls"'})
    (True, True, False)
    """
    code = formats.get(number)
    if code is None:
        return number.isdecimal() and int(number) in _DAYS
    return bool(re.search("[dy]", _ASIDE.sub("", code), re.IGNORECASE))
