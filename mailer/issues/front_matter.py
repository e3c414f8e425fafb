"""The front matter: `key: value` between two lines of `---` at the top of an issue."""

import re
from datetime import date
from typing import Any, Final

import yaml

from mailer.errors import AuthorError
from mailer.issues.attributes import goals
from mailer.issues.source import Source
from mailer.suggest import did_you_mean, near

REQUIRED: Final = {
    "title": "title: Brief Internacional",
    "month": "month: 2026-12",
    "number": "number: 12",
    "subject": 'subject: "What the reader sees in the inbox"',
    "preheader": 'preheader: "The line that the inbox shows beside the subject"',
}
_MONTH: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
KEYS: Final = (*REQUIRED, "tagline", "language", "sdgs", "office", "department")


class FrontMatter:
    """The keys with their texts, the line of each, and where the content after them begins."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.start = next((number for number, line in enumerate(source.lines) if line.strip()), 0)
        if source.lines[self.start].rstrip() != "---":
            raise source.wrong(
                self.start + 1, "the issue must begin with its front matter: a line of ---, then title: …"
            )
        closing = (n for n, line in enumerate(source.lines) if n > self.start and line.rstrip() in {"---", "..."})
        self.end = next(closing, 0)
        if not self.end:
            raise source.wrong(self.start + 1, "the front matter is not closed; write a line of --- after its last key")
        self.texts: dict[str, str] = {}
        self.lines: dict[str, int] = {}
        self._misspelt: set[str] = set()
        self._load()
        for key, example in REQUIRED.items():
            if not self.texts.get(key) and key not in self._misspelt:
                self._fault(key, f"the front matter lacks the {key}; write {example}")
            self.texts.setdefault(key, "")

    def _load(self) -> None:
        text = "\n".join(self.source.lines[self.start + 1 : self.end])
        try:
            node = yaml.compose(text, Loader=yaml.BaseLoader)
        except yaml.MarkedYAMLError as problem:
            raise self._unreadable(problem) from None
        except yaml.YAMLError as problem:
            raise self.source.wrong(
                self.start + 1, f"the front matter can't be read: {' '.join(str(problem).split())}"
            ) from None
        if node is None:
            return
        if not isinstance(node, yaml.MappingNode):
            raise self.source.wrong(
                self._line(node), "the front matter holds lines of the form key: value, one key a line"
            )
        for key, value in node.value:
            with self.source.forgiving():
                self._keep(key, value)

    def _keep(self, key: Any, value: Any) -> None:
        name, line = str(key.value), self._line(key)
        if not isinstance(key, yaml.ScalarNode) or not name.isprintable():
            raise self.source.wrong(line, "the front matter holds lines of the form key: value, one key a line")
        if name not in KEYS:
            self._misspelt.update(near(name, KEYS))
            raise self.source.wrong(line, f'the front matter has an unknown key "{name}"; {did_you_mean(name, KEYS)}')
        if name in self.texts:
            raise self.source.wrong(line, f"{name} stands here for the second time; keep one of them")
        self.lines[name] = line
        self.texts[name] = " ".join(self._text(value, name).split())

    def _text(self, value: Any, name: str) -> str:
        if isinstance(value, yaml.ScalarNode):
            return self._printable(_unquoted(str(value.value)), name, self._line(value))
        if isinstance(value, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in value.value):
            return self._printable(", ".join(str(item.value) for item in value.value), name, self._line(value))
        raise self.source.wrong(
            self._line(value), f"{name} must be one text; if it holds : or {{ put it in quotation marks"
        )

    def _printable(self, text: str, name: str, line: int) -> str:
        # YAML's escapes ("\\0", "\\ud800") can write what neither a header nor HTML may hold.
        if not all(letter.isprintable() or letter.isspace() for letter in text):
            raise self.source.wrong(line, f"{name} holds a character that can't be shown; type it anew")
        return text

    def _line(self, node: Any) -> int:
        return int(node.start_mark.line) + self.start + 2

    def _unreadable(self, problem: yaml.MarkedYAMLError) -> AuthorError:
        mark = problem.problem_mark or problem.context_mark
        line = min(self.start + 2 + (mark.line if mark else 0), self.end)
        hint = "put the text after the key in quotation marks, if it holds a colon or a #"
        if "\t" in self.source.lines[line - 1]:
            hint = "write spaces in place of the tab"
        return self.source.wrong(line, f"the front matter can't be read here; {hint}")

    def wrong(self, key: str, message: str) -> AuthorError:
        """The error to raise for what is wrong about `key`."""
        return self.source.wrong(self.lines.get(key, self.start + 1), message)

    def _fault(self, key: str, message: str) -> None:
        self.source.faults.append(self.wrong(key, message))

    @property
    def month(self) -> date:
        """The first day of the issue's month, which the folder's name must begin with."""
        text, folder = self.texts["month"], self.source.name.split("/")[1]
        found = re.fullmatch(_MONTH, text)
        if text and not found:
            self._fault("month", f'the month "{text}" is none; write year and month as in month: 2026-12')
        elif text and folder != text and not folder.startswith(f"{text}-"):
            self._fault("month", f"the month is {text} but the folder is called {folder}; write month: {folder[:7]}")
        meant = found or re.match(_MONTH, folder)
        return date(int(meant[1]), int(meant[2]), 1) if meant else date.min

    @property
    def number(self) -> int:
        """The issue's number, from 1 on."""
        text = self.texts["number"]
        if re.fullmatch(r"[1-9]\d{0,5}", text):
            return int(text)
        if text:
            self._fault("number", f'the number "{text}" is none; write a whole number as in number: 12')
        return 0

    @property
    def sdgs(self) -> tuple[int, ...]:
        """The issue's development goals."""
        if not self.texts.get("sdgs"):
            return ()
        return goals(self.texts["sdgs"], self.source, self.lines["sdgs"])

    def language(self, expected: str) -> str:
        """The language that the file says it is in; the one its name says, if it says none."""
        text = self.texts.get("language") or expected
        if not re.fullmatch(r"[a-z]{2,3}", text):
            self._fault("language", f'the language "{text}" is none; write its two letters as in language: es')
            return expected
        return text


def _unquoted(text: str) -> str:
    """
    The text without a word processor's quotation marks around it, which YAML takes for part of it.

    >>> _unquoted("“Quito recibe a 42 ciudades”"), _unquoted("“Quito” y “Lima”")
    ('Quito recibe a 42 ciudades', '“Quito” y “Lima”')
    """
    found = re.fullmatch(r"\s*[“«„]([^“”«»„]*)[”»“]\s*", text)
    return found[1] if found else text
