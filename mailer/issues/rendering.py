"""A body's blocks as HTML for mail: what mistune makes of them, but for tables and notes."""

import re
from typing import Any, Final

import mistune

TAGS: Final = {"table", "thead", "tbody", "tr", "th", "td", "sup"}
ATTRIBUTES: Final = {"table": {"class"}, "th": {"align", "scope"}, "td": {"align"}, "p": {"class"}}


class MailHtml(mistune.HTMLRenderer):
    """Tables say of which cells they are headed; notes stand below without links, whose names would occur twice."""

    def table(self, text: str) -> str:
        """A table for data: the layout's own have no such class."""
        return f'<table class="dt">{text}</table>\n'

    def table_head(self, text: str) -> str:
        """The row of headings."""
        return f"<thead><tr>{text}</tr></thead>"

    def table_body(self, text: str) -> str:
        """The rows below it."""
        return f"<tbody>{text}</tbody>"

    def table_row(self, text: str) -> str:
        """One row."""
        return f"<tr>{text}</tr>"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        """A cell, or the heading of a column."""
        side = align or "left"
        return f'<th scope="col" align="{side}">{text}</th>' if head else f'<td align="{side}">{text}</td>'

    def footnote_ref(self, key: str, index: int) -> str:  # noqa: ARG002 - mistune's signature
        """The number where the note belongs."""
        return f"<sup>{index}</sup>"

    def footnotes(self, text: str) -> str:
        """The notes, one after the other."""
        return text

    def footnote_item(self, text: str, key: str, index: int) -> str:  # noqa: ARG002 - mistune's signature
        """One note behind its number."""
        marked = text.replace("<p>", f"<p><sup>{index}</sup> ", 1)
        return marked.replace("<p>", '<p class="fn">')


def raised(number: int) -> str:
    """
    A number as it stands at a note.

    >>> raised(12)
    '¹²'
    """
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def table_text(rows: list[list[str]], sides: list[str | None], width: int) -> str:
    """
    A table in columns; if it is too wide for that, a row after the other, each cell after its heading.

    >>> print(table_text([["Año", "Misiones"], ["2026", "27"]], [None, "right"], 72))
    Año   Misiones
    ----  --------
    2026        27
    >>> print(table_text([["Año", "Misiones"], ["2026", "27"]], [None, None], 10))
    Año: 2026
    Misiones: 27
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    head, *body = rows
    if width and sum(widths) + 2 * len(widths) > width:
        return "\n\n".join("\n".join(f"{name}: {cell}" for name, cell in zip(head, row, strict=True)) for row in body)
    lines = [head, ["-" * each for each in widths], *body]
    return "\n".join(
        "  ".join(
            cell.rjust(each) if side == "right" else cell.ljust(each)
            for cell, each, side in zip(line, widths, sides, strict=True)
        ).rstrip()
        for line in lines
    )


def cells(table: dict[str, Any]) -> tuple[list[list[dict[str, Any]]], list[str | None]]:
    """The rows of a table in mistune's tree, the head first, and which side each column keeps to."""
    head, *bodies = table["children"]
    rows = [head["children"], *(row["children"] for body in bodies for row in body["children"])]
    return rows, [cell["attrs"]["align"] for cell in head["children"]]


def without_rule(markdown: str) -> str:
    r"""
    A table without the line of dashes below its head, its cells apart; its lines keep their numbers.

    >>> without_rule("| Año | Misiones |\n| --- | ---: |\n| 2026 | 27 |")
    '. Año. Misiones. \n\n. 2026. 27. '
    """
    if not re.search(r"^[ \t]*\|?[ \t:|-]*-[ \t:|-]*\|[ \t:|-]*$", markdown, re.MULTILINE):
        return markdown
    bare = re.sub(r"^[ \t]*\|?[ \t:|-]*-[ \t:|-]*\|[ \t:|-]*$", "", markdown, flags=re.MULTILINE)
    return re.sub(r"[ \t]*\|[ \t]*", ". ", bare)
