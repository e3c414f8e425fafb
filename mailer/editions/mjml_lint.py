"""
Judges MJML before mjml-python sees it.

mjml-python passes unknown elements and attributes silently, accepts end tags that don't match, and where it does
refuse it names a byte at best. Here each fault has a sentence, with the template and line that wrote it.
"""

import re
from typing import Final

from mailer.editions.mjml_tags import Tag, tags
from mailer.editions.templates import MARK
from mailer.errors import AuthorError
from mailer.suggest import did_you_mean

_TOKEN: Final = re.compile(
    r"<!--(?P<comment>.*?)-->"
    r"|</(?P<end>[a-zA-Z][\w:-]*)\s*>"
    r"|<(?P<start>[a-zA-Z][\w:-]*)(?P<attributes>(?:\s+[^\s=<>/]+(?:\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))?)*)\s*(?P<closed>/?)>"
    r"|(?P<stray><[^<>]{0,60})",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(r"([^\s=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'))?")
_VOID: Final = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
_ANYWHERE: Final = frozenset({"css-class", "mj-class"})


class _Open:
    """An element that waits for its end tag."""

    def __init__(self, name: str, where: tuple[str, int]) -> None:
        self.name, self.where = name, where


def lint(mjml: str) -> None:
    """
    Pass MJML that is well formed and known through and through.

    Raises:
        AuthorError: The first fault, at the template and line of its element (of the generated MJML, failing that).

    """
    _Reader(mjml).read()


class _Reader:
    def __init__(self, mjml: str) -> None:
        self.mjml = mjml
        self.open: list[_Open] = []
        self.mark: tuple[str, int] | None = None

    def read(self) -> None:
        if "<![CDATA[" in self.mjml:
            raise self._wrong(self.mjml.index("<![CDATA["), "CDATA is not understood; escape < as &lt; instead")
        for token in _TOKEN.finditer(self.mjml):
            if token["comment"] is not None:
                self._comment(token)
            elif token["start"]:
                self._start(token)
            elif token["end"]:
                self._end(token)
            else:
                raise self._wrong(
                    token.start(), f'this is no complete tag: {token["stray"]!r}; write attributes as name="value"'
                )
        if self.open:
            raise AuthorError(f"<{self.open[-1].name}> is never closed", *self.open[-1].where)

    def _comment(self, token: re.Match[str]) -> None:
        if found := MARK.fullmatch(token[0]):
            self.mark = (found[1], int(found[2]))

    def _start(self, token: re.Match[str]) -> None:
        name = token["start"]
        where = self._where(token.start())
        holder = self.open[-1].name if self.open else ""
        inside = next((one.name for one in reversed(self.open) if one.name in tags()), "")
        if name.startswith("mj"):
            self._component(token, name, holder)
        elif not inside or not (tags()[inside].ending or inside == "mj-attributes"):
            raise self._wrong(token.start(), f"<{name}> is HTML; put it into mj-text, mj-table or mj-raw")
        if not token["closed"] and name.lower() not in _VOID:
            self.open.append(_Open(name, where))

    def _component(self, token: re.Match[str], name: str, holder: str) -> None:
        tag = tags().get(name)
        if tag is None:
            raise self._wrong(token.start(), f"<{name}> is no MJML element; {did_you_mean(name, tags())}")
        preset = holder == "mj-attributes"
        if not preset and holder not in tag.inside:
            places = " or ".join(sorted(tag.inside)) or "nothing"
            raise self._wrong(token.start(), f"<{name}> stands in {holder or 'nothing'}; it belongs in {places}")
        self._attributes(token, name, tag)

    def _attributes(self, token: re.Match[str], name: str, tag: Tag) -> None:
        known = tag.attributes | (_ANYWHERE if tag.in_body else frozenset())
        seen = set[str]()
        for attribute in _ATTRIBUTE.finditer(token["attributes"]):
            if not tag.any and attribute[1] not in known:
                hint = did_you_mean(attribute[1], sorted(known)) if known else "it takes none"
                raise self._wrong(token.start(), f"<{name}> has no attribute {attribute[1]}; {hint}")
            if attribute[2] is None and attribute[3] is None:
                raise self._wrong(token.start(), f'<{name}> {attribute[1]} has no value; write {attribute[1]}="…"')
            if attribute[1] in seen:
                raise self._wrong(token.start(), f"<{name}> has {attribute[1]} twice; keep one")
            seen.add(attribute[1])

    def _end(self, token: re.Match[str]) -> None:
        name = token["end"]
        if not self.open:
            raise self._wrong(token.start(), f"</{name}> closes nothing")
        last = self.open.pop()
        if last.name != name:
            raise AuthorError(f"<{last.name}> is closed by </{name}>; write </{last.name}> before it", *last.where)

    def _where(self, at: int) -> tuple[str, int]:
        """The mark of the last component: exact for the component itself, near for the HTML inside it."""
        if self.mark:
            return self.mark
        return ("generated.mjml", self.mjml.count("\n", 0, at) + 1)

    def _wrong(self, at: int, message: str) -> AuthorError:
        return AuthorError(message, *self._where(at))
