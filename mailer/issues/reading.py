"""The front door: reads a folder's `issue.md`, or the translation beside it, into an Issue."""

import re
from pathlib import Path
from typing import Final

from mailer.errors import AuthorError
from mailer.issues.front_matter import FrontMatter
from mailer.issues.issue import Issue
from mailer.issues.source import Source
from mailer.issues.structure import read_sections
from mailer.language import SOURCE

NAME: Final = re.compile(r"20\d\d-(0[1-9]|1[0-2])(-[a-z0-9]+)*")
_TRANSLATION: Final = re.compile(r"issue\.([a-z]{2,3})\.md")


def locate(issues: Path, name: str) -> Path:
    """
    The folder of the issue called `name` among the folder of issues.

    Raises:
        AuthorError: There is none; the sentence says which there are.

    """
    if NAME.fullmatch(name) and (issues / name).is_dir():
        return issues / name
    raise _missing(issues, name)


def read(folder: Path, language: str | None = None) -> Issue:
    """
    Read the issue in `folder`: `issue.md`, or with a language the file that is written in it.

    Raises:
        AuthorError: It isn't there or isn't as `issues/README.md` says; names file, line and what to write.

    """
    if not folder.is_dir():
        raise _missing(folder.parent, folder.name)
    path = folder / ("issue.md" if language is None else f"issue.{language}.md")
    if not path.is_file() and language is not None:
        first = read(folder)
        if first.language == language:
            return first
        raise AuthorError(f"{path.name} is missing; translate issue.md there", f"{folder.parent.name}/{folder.name}")
    if not path.is_file():
        raise AuthorError(
            "issue.md is missing; write it, or begin with `mailer new`", f"{folder.parent.name}/{folder.name}"
        )
    return _read(path, language)


def translations(folder: Path) -> tuple[str, ...]:
    """The languages that `issue.md` is translated into, by name."""
    return tuple(sorted(found[1] for path in folder.iterdir() if (found := _TRANSLATION.fullmatch(path.name))))


def _read(path: Path, language: str | None) -> Issue:
    source = Source.load(path)
    front = FrontMatter(source)
    told = front.language(language or SOURCE)
    if language and told != language:
        raise front.wrong(
            "language", f"the file is called {path.name} but its language is {told}; write language: {language}"
        )
    texts = front.texts
    return Issue(
        name=path.parent.name,
        folder=path.parent,
        language=told,
        title=texts["title"],
        month=front.month,
        number=front.number,
        subject=texts["subject"],
        preheader=texts["preheader"],
        tagline=texts.get("tagline", ""),
        office=texts.get("office", ""),
        department=texts.get("department", ""),
        sdgs=front.sdgs,
        sections=read_sections(source, front.end + 1, path.parent),
        file=path.name,
        lines=front.lines,
    )


def _missing(issues: Path, name: str) -> AuthorError:
    there = sorted(path.name for path in issues.iterdir() if NAME.fullmatch(path.name)) if issues.is_dir() else []
    new = name if NAME.fullmatch(name) else "2026-12"
    known = (
        f"there are {', '.join(there[-12:])}"
        if len(there) > 1
        else f"there is {there[0]}"
        if there
        else "there is none yet"
    )
    return AuthorError(f'there is no issue "{name}" in {issues.name}/: {known}; `mailer new {new}` begins one')
