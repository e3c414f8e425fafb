"""What an ods says beside its cells (OpenDocument 1.3, part 3, 9.1); the cells themselves calamine reads."""

from typing import Any, Final
from zipfile import ZipFile

from lxml import etree

from mailer.audience.importing.beside import Beside
from mailer.audience.importing.ooxml import GUARDED, Unreadable

_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_LINK: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}a"
_TARGET: Final = "{http://www.w3.org/1999/xlink}href"
_UNSEEN: Final = frozenset({"collapse", "filter"})


def beside(path: str, sheet: str) -> Beside:
    """
    Look through a sheet for merged cells, links and hidden rows.

    Raises:
        Unreadable: The document is broken.

    """
    found = Beside()
    at, name = 0, ""
    tags = (f"{_TABLE}table", f"{_TABLE}table-row")
    try:
        with ZipFile(path) as package, package.open("content.xml") as file:
            for event, element in etree.iterparse(file, events=("start", "end"), tag=tags, **GUARDED):
                if element.tag == tags[0]:
                    at, name = 0, element.get(f"{_TABLE}name", "")
                elif event == "end":
                    if name == sheet:
                        _look_at(element, at, found)
                    at += _number(element, "number-rows-repeated")
                    element.clear()
    except (etree.XMLSyntaxError, KeyError) as problem:
        raise Unreadable(str(problem)) from None
    return found


def _look_at(row: Any, at: int, found: Beside) -> None:
    column = 0
    for cell in row:
        if (spanned := _number(cell, "number-rows-spanned")) > 1:
            found.merge([((at, column), (at + spanned - 1, column))])
        for link in cell.iter(_LINK):
            found.link((at, column), link.get(_TARGET, ""))
        column += _number(cell, "number-columns-repeated")
    if row.get(f"{_TABLE}visibility") in _UNSEEN and any(map(len, row)):
        found.hidden += _number(row, "number-rows-repeated")


def _number(element: Any, name: str) -> int:
    written = element.get(f"{_TABLE}{name}", "1")
    return int(written) if written.isdecimal() and len(written) < 8 else 1  # noqa: PLR2004 — no sheet has as many
