"""What compiles: the issues of one publication, in its templates and its theme."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mailer import config
from mailer.editions.edition import Compiled, Imprint
from mailer.errors import AuthorError
from mailer.issues import Issue, locate, read, translations
from mailer.issues.translation import completed


class Press:
    """Reads issues and compiles them as the config says."""

    def __init__(self, loaded: config.Loaded, imprint: Imprint) -> None:
        self._loaded = loaded
        self._content = loaded.config.content
        self._segments = loaded.config.segments
        self._imprint = imprint

    @property
    def templates(self) -> Path:
        """The folder of all templates."""
        return self._loaded.resolve(self._content.templates)

    @property
    def theme(self) -> Path:
        """The file of tokens that `[content] theme` names, or the templates' own."""
        return self._loaded.resolve(self._content.theme) if self._content.theme else self.templates / "brief/theme.toml"

    def compile(
        self, name: str, *, segment: str | None = None, language: str | None = None
    ) -> tuple[tuple[Issue, ...], Compiled]:
        """
        Read the issue called `name` in all its languages and compile its editions; or only those of a segment, or of
        one of its languages. The issues come back as they are written, a translation without what it lacks.

        Raises:
            AuthorError: There is no such issue, or something in it or in the templates is wrong.

        """
        folder, missing = locate(self._loaded.resolve(self._content.issues), name), self._content.missing_translation
        original = read(folder)
        others = [each for each in translations(folder) if each != original.language]
        written = {original.language: original} | dict.fromkeys(others)
        issues = tuple(found or read(folder, each) for each, found in written.items() if language in {None, each})
        if not issues:
            raise AuthorError(f'the issue {name} is not written in "{language}"; add issue.{language}.md')
        whole = [completed(issue, original) if missing == "original" else issue for issue in issues]
        return issues, self._compose(whole, [each for each in self._segments if segment in {None, each}])

    def components(self) -> tuple[Issue, Compiled]:
        """The issue that shows every component, compiled for one segment."""
        issue = read(next((self.templates / "showcase").iterdir()))
        return issue, self._compose([issue], list(self._segments)[:1])

    def _compose(self, issues: Sequence[Issue], segments: Sequence[str]) -> Compiled:
        # What compiles is heavy, and the processes that only send have no use for it.
        from mailer.editions.compose import compose
        from mailer.editions.pictures import mail_safe

        cache = self._loaded.resolve("var/cache")
        return compose(
            issues,
            {name: self._segments[name].title for name in segments},
            imprint=self._imprint,
            templates=self.templates / "brief",
            theme=self.theme,
            picture=partial(mail_safe, cache=cache),
            cache=cache,
        )
