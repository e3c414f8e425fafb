"""What compiles: the issues of one publication, in its templates and its theme."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mailer import config
from mailer.editions.edition import Compiled, Image, Imprint
from mailer.editions.theme import Theme
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
        issues = self._read(name, language)
        return issues, self._compose(self._whole(issues), [each for each in self._segments if segment in {None, each}])

    def attempt(self, name: str) -> tuple[tuple[Issue, ...], Compiled | None, list[AuthorError]]:
        """
        Read and compile what can be of the issue called `name`; what can't, comes back as the faults of the issue.

        Raises:
            AuthorError: There is no such issue, or a file of it can't be read at all.

        """
        from mailer.editions.soundness import sound

        faults: list[AuthorError] = []
        issues = self._read(name, faults=faults)
        try:
            picture = partial(self._picture, width=Theme.load(self.theme).shape.width)
            issues = tuple(sound(issue, picture, faults) for issue in issues)
            return issues, self._compose(self._whole(issues), list(self._segments)), faults
        except AuthorError as problem:
            return issues, None, [*faults, problem]

    def _read(
        self, name: str, language: str | None = None, *, faults: list[AuthorError] | None = None
    ) -> tuple[Issue, ...]:
        folder = locate(self._loaded.resolve(self._content.issues), name)
        original = read(folder, faults=faults)
        others = [each for each in translations(folder) if each != original.language]
        written = {original.language: original} | dict.fromkeys(others)
        wanted = {each: found for each, found in written.items() if language in {None, each}}
        if not wanted:
            raise AuthorError(f'the issue {name} is not written in "{language}"; add issue.{language}.md')
        return tuple(found or read(folder, each, faults=faults) for each, found in wanted.items())

    def _whole(self, issues: Sequence[Issue]) -> list[Issue]:
        """The issues, each filled up from the original if the config says so."""
        if self._content.missing_translation != "original":
            return list(issues)
        original = read(issues[0].folder, faults=[])
        return [completed(issue, original) for issue in issues]

    def components(self) -> tuple[Issue, Compiled]:
        """The issue that shows every component, compiled for one segment."""
        issue = read(next((self.templates / "showcase").iterdir()))
        return issue, self._compose([issue], list(self._segments)[:1])

    def _compose(self, issues: Sequence[Issue], segments: Sequence[str]) -> Compiled:
        # What compiles is heavy, and the processes that only send have no use for it.
        from mailer.editions.compose import compose

        return compose(
            issues,
            {name: self._segments[name].title for name in segments},
            imprint=self._imprint,
            templates=self.templates / "brief",
            theme=self.theme,
            picture=self._picture,
            cache=self._cache,
        )

    def _picture(self, path: Path, width: int) -> Image:
        from mailer.editions.pictures import mail_safe

        return mail_safe(path, width, cache=self._cache)

    @property
    def _cache(self) -> Path:
        return self._loaded.resolve("var/cache")
