"""The templates of the edition: Jinja, sandboxed, confined to one folder, every value escaped."""

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from mailer.editions.kept_templates import KeptTemplates
from mailer.editions.theme import Theme, leading, size
from mailer.errors import AuthorError

ENTRANCE: Final = "issue.mjml"
# What tells the linter where an element was written; taken out before MJML is compiled.
MARK: Final = re.compile(r"<!--@([^:>]*):(\d+)-->")
_TWO_LINES: Final = 2
_ELEMENT: Final = re.compile(r"\{#.*?#\}|<(?=mj-|mjml)", re.DOTALL)


class _Marks(Extension):
    """Writes before each MJML element which template it stands in, and on which line."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 - Jinja's signature
        place = f"{getattr(self.environment, 'place', '')}{name}"

        def marked(found: re.Match[str]) -> str:
            line = source.count("\n", 0, found.start()) + 1
            return f"<!--@{place}:{line}--><" if found[0] == "<" else found[0]

        return _ELEMENT.sub(marked, source)


def lockup(name: str) -> Markup:
    """
    An office's name in two lines, as on its letterhead: before what is in capitals, or where its sense pauses.

    >>> lockup("Dirección Metropolitana DE RELACIONES"), lockup("Municipio de Quito")
    (Markup('Dirección Metropolitana<br /> DE RELACIONES'), Markup('Municipio<br /> de Quito'))
    >>> lockup("Dirección Metropolitana de Relaciones Internacionales")
    Markup('Dirección Metropolitana<br /> de Relaciones Internacionales')
    """
    if parts := re.fullmatch(r"(.*[a-zà-öø-ÿ]\S*)\s+([^a-zà-öø-ÿ]{4,})", name):
        return escape(parts[1]) + Markup("<br /> ") + escape(parts[2])
    words = name.split()
    if len(words) < _TWO_LINES:
        return escape(name)

    def uneven(place: int) -> tuple[bool, int]:
        """Two lines end best before a small word, and then where they are as long as each other."""
        first, second = " ".join(words[:place]), " ".join(words[place:])
        return not (second[0].islower() and words[place - 1][0].isupper()), abs(len(first) - len(second))

    best = min(range(1, len(words)), key=uneven)
    return escape(" ".join(words[:best])) + Markup("<br /> ") + escape(" ".join(words[best:]))


@lru_cache(maxsize=4)
def _environment(folder: Path, place: str, kept: Path | None) -> ImmutableSandboxedEnvironment:
    """The templates of a folder; what was compiled once is kept until its file changes, on disk too if `kept` says."""
    jinja = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[_Marks],
        bytecode_cache=KeptTemplates(kept) if kept else None,
    )
    jinja.extend(place=place)
    jinja.filters["lockup"] = lockup
    jinja.globals.update(size=size, leading=leading)
    return jinja


class Templates:
    """One folder of templates with its theme, ready to be filled."""

    def __init__(self, folder: Path, theme: Path | None = None, *, kept: Path | None = None) -> None:
        self.folder = folder
        self.theme_file = theme or folder / "theme.toml"
        self.theme = Theme.load(self.theme_file)
        self._jinja = _environment(folder, self._name(""), kept)

    @property
    def wordmark(self) -> Path | None:
        """The picture of the office's mark, if the theme has one."""
        name = self.theme.wordmark.picture
        return self.theme_file.parent / name if name else None

    def fill(self, *, translate: Callable[..., str], **values: Any) -> str:
        """
        The MJML with marks that say where each element was written.

        Raises:
            AuthorError: A template is missing or wrong; names it and the line.

        """
        try:
            return self._jinja.get_template(ENTRANCE).render(_=translate, theme=self.theme, **values)
        except TemplateSyntaxError as problem:
            raise AuthorError(f"{problem.message}", self._name(problem.name or ENTRANCE), problem.lineno) from None
        except TemplateError as problem:
            name, line = self._place(problem)
            raise AuthorError(
                f"the template can't be filled: {problem.message or problem}; mend it there", name, line
            ) from None

    def _place(self, problem: BaseException) -> tuple[str, int | None]:
        """The innermost template line of a traceback: Jinja rewrites it to point into the templates."""
        name, line, step = self._name(ENTRANCE), None, problem.__traceback__
        while step:
            path = Path(step.tb_frame.f_code.co_filename)
            if path.is_relative_to(self.folder):
                name, line = self._name(path.relative_to(self.folder).as_posix()), step.tb_lineno
            step = step.tb_next
        return name, line

    def _name(self, template: str) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}/{template}"
