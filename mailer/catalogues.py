"""The catalogues of what readers are told: every sentence of templates and code, and what a language lacks of them."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, TemplateSyntaxError
from jinja2.ext import extract_from_ast

from mailer.language import LOCALES

# How code marks a sentence: the words of a language called with it, or a mark for a template to translate later.
_SAYERS: Final = frozenset({"translate", "say", "speak", "marked"})
_NAME: Final = re.compile(r"\{\w+\}")


class Fault(msgspec.Struct, frozen=True):
    """A sentence that a language doesn't say as it should."""

    language: str
    text: str
    fault: str


def sentences(templates: Path) -> dict[str, str]:
    """Every sentence with the first file that says it, in a stable order."""
    found: dict[str, str] = {}
    for path in sorted(templates.rglob("*")):
        if path.suffix in {".mjml", ".html", ".txt", ".xml", ".css"}:
            for text in _of_template(path):
                found.setdefault(text, path.relative_to(templates.parent).as_posix())
    package = Path(__file__).parent
    for path in sorted([*package.rglob("*.py"), *package.rglob("*.html")]):
        if path.relative_to(package).parts[0] != "cli":
            for text in _of_code(path) if path.suffix == ".py" else _of_template(path):
                found.setdefault(text, path.relative_to(package.parent).as_posix())
    return found


def faults(templates: Path, language: str | None = None) -> list[Fault]:
    """What the catalogues lack, of one language or of all."""
    known = sentences(templates)
    found = []
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/mailer.po")):
        spoken = path.parent.parent.name
        if language in {None, spoken}:
            with path.open("rb") as file:
                entries = {str(entry.id): str(entry.string) for entry in read_po(file, locale=spoken) if entry.id}
            found += [Fault(spoken, text, fault) for text in known if (fault := _fault(text, entries))]
    return found


def write_template(found: Mapping[str, str], path: Path) -> None:
    """Write the sentences as a catalogue without translations, the same bytes for the same sentences."""
    catalogue = Catalog(project="mailer", fuzzy=False)
    for text, file in found.items():
        catalogue.add(text, locations=[(file, 1)])
    with path.open("wb") as out:
        write_po(out, catalogue, omit_header=True, width=120)


def compile_all() -> list[Path]:
    """Write beside each catalogue what is read in its place as long as it is no older (gettext's `.mo`)."""
    made = []
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/mailer.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parent.parent.name)
        with path.with_suffix(".mo").open("wb") as out:
            write_mo(out, catalogue)
        made.append(path.with_suffix(".mo"))
    return made


def _fault(text: str, entries: Mapping[str, str]) -> str:
    if not entries.get(text):
        return "is not translated"
    if sorted(_NAME.findall(text)) != sorted(_NAME.findall(entries[text])):
        return "has other names in braces than its translation"
    return ""


def _of_template(path: Path) -> Iterator[str]:
    try:
        tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    except (TemplateSyntaxError, UnicodeDecodeError):  # a file that is no template says nothing
        return
    for _, _, text in extract_from_ast(tree, ("_",)):
        yield from [text] if isinstance(text, str) else [each for each in text or () if each]


def _of_code(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and _speaks(node.func) and node.args:
            text = node.args[0]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value


def _speaks(called: ast.expr) -> bool:
    """Whether it is `say(…)`, `self.translate(…)` or `words(language)(…)`."""
    if isinstance(called, ast.Call):
        return isinstance(called.func, ast.Name) and called.func.id == "words"
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in _SAYERS
