"""An article's Markdown as HTML that mail clients show safely, and as plain text for those that show none."""

import re
import textwrap
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import mistune
import nh3

from mailer.issues.rendering import ATTRIBUTES, TAGS, MailHtml, cells, raised, table_text

WIDTH: Final = 72
_TAGS: Final = {"p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "hr"} | TAGS
_ATTRIBUTES: Final = {"a": {"href", "title"}, "ol": {"start"}} | ATTRIBUTES
_PLUGINS: Final = ("table", "footnotes", "url")
_SCHEMES: Final = {"http", "https", "mailto", "tel"}
# What an officer never means: a paragraph that begins with a tab is no code, dashes below a line make it no heading.
_UNWANTED: Final = ("fenced_code", "indent_code", "atx_heading", "setex_heading", "ref_link")


def to_html(markdown: str) -> str:
    """
    The Markdown as HTML of a small vocabulary; HTML in it is shown as typed, not obeyed.

    >>> to_html("Quito **reúne** a <b>todos</b>")
    '<p>Quito <strong>reúne</strong> a &lt;b&gt;todos&lt;/b&gt;</p>'
    """
    unsafe = str(_parser(None)(markdown))
    safe = nh3.clean(unsafe, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel=None)
    return safe.replace("<br>", "<br />").replace("<hr>", "<hr />").strip()


def to_text(markdown: str, width: int = WIDTH) -> str:
    """
    The Markdown as plain text, wrapped; a link is followed by its address.

    >>> to_text("Lea **el** [informe](https://quito.example/i)")
    'Lea el informe <https://quito.example/i>'
    """
    return "\n\n".join(_blocks(_tree(markdown), width))


def to_words(markdown: str) -> str:
    """The text alone, without addresses, each paragraph on one line."""
    return "\n\n".join(_blocks(_tree(markdown), width=0, addresses=False))


def links(markdown: str) -> list[tuple[str, str]]:
    """
    The links in the order they stand: what is read and where it leads.

    >>> links("[a](https://a.example) y [b](#)")
    [('a', 'https://a.example'), ('b', '#')]
    """
    return [
        (_inline(node["children"], addresses=False), node["attrs"]["url"])
        for node in _walk(_tree(markdown))
        if node["type"] == "link"
    ]


@cache
def _parser(renderer: str | None) -> mistune.Markdown:
    parser = mistune.create_markdown(
        renderer=MailHtml(escape=True) if renderer is None else "ast", escape=True, plugins=list(_PLUGINS)
    )
    # The tree must keep raw HTML as text, as the page shows it; every kind of block above is an ordinary paragraph.
    for rule in _UNWANTED:
        parser.block.rules.remove(rule)
    for rules in (parser.block.list_rules, parser.block.block_quote_rules):
        rules[:] = [rule for rule in rules if rule not in _UNWANTED]
    return parser


def _tree(markdown: str) -> list[dict[str, Any]]:
    tree = _parser("ast")(markdown)
    assert isinstance(tree, list)
    return tree


def _walk(nodes: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for node in nodes:
        yield node
        yield from _walk(node.get("children", ()))


def _blocks(nodes: list[dict[str, Any]], width: int, *, addresses: bool = True) -> list[str]:
    made = []
    for node in nodes:
        match node["type"]:
            case "list":
                made.append(_list(node, width, addresses=addresses))
            case "block_quote":
                inner = _blocks(node["children"], max(width - 2, 0), addresses=addresses)
                made.append(textwrap.indent("\n\n".join(inner), "> ", lambda _: True))
            case "blank_line":
                continue
            case "thematic_break":
                made.append("* * *")
            case "table":
                made.append(_table(node, width, addresses=addresses))
            case "footnotes":
                made.extend(_note(item, width, addresses=addresses) for item in node["children"])
            case _:
                text = _inline(node["children"], addresses=addresses) if "children" in node else node.get("raw", "")
                made.append(wrapped(text.strip(), width))
    return [text for text in made if text]


def _list(node: dict[str, Any], width: int, *, addresses: bool) -> str:
    attrs = node.get("attrs", {})
    items = []
    for number, item in enumerate(node["children"], attrs.get("start", 1)):
        mark = f"{number}. " if attrs.get("ordered") else "- "
        inner = "\n".join(_blocks(item["children"], max(width - len(mark), 0), addresses=addresses))
        items.append(mark + textwrap.indent(inner, " " * len(mark)).lstrip())
    return "\n".join(items)


def _table(node: dict[str, Any], width: int, *, addresses: bool) -> str:
    rows, sides = cells(node)
    told = [[_inline(cell["children"], addresses=addresses) for cell in row] for row in rows]
    return table_text(told, sides, width)


def _note(item: dict[str, Any], width: int, *, addresses: bool) -> str:
    return f"{raised(item['attrs']['index'])} " + "\n\n".join(_blocks(item["children"], width, addresses=addresses))


def _inline(nodes: list[dict[str, Any]], *, addresses: bool = True) -> str:
    parts = []
    for node in nodes:
        match node["type"]:
            case "softbreak":
                parts.append(" ")
            case "linebreak":
                parts.append("\n")
            case "footnote_ref":
                parts.append(raised(node["attrs"]["index"]))
            case "link":
                parts.append(_link(node, addresses=addresses))
            case _ if "children" in node:
                parts.append(_inline(node["children"], addresses=addresses))
            case _:
                parts.append(node.get("raw", ""))
    return "".join(parts)


def _link(node: dict[str, Any], *, addresses: bool) -> str:
    label, url = _inline(node["children"], addresses=False), node["attrs"]["url"]
    told = url.removeprefix("mailto:").removeprefix("tel:")
    if not addresses or told == label or url.partition(":")[0].lower() not in _SCHEMES:
        return label
    return f"{label} <{told}>"


def wrapped(text: str, width: int = WIDTH) -> str:
    r"""
    The text in lines of at most `width` characters, words and addresses whole; 0 means one line a paragraph.

    >>> wrapped("uno dos tres", 8)
    'uno dos\ntres'
    """
    if not width:
        return text
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(
        "\n".join(textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)) for line in lines
    )
