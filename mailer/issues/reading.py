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


def read(folder: Path, language: str | None = None, *, faults: list[AuthorError] | None = None) -> Issue:
    """
    Read the issue in `folder`: `issue.md`, or with a language the file that is written in it.

    What isn't as `issues/README.md` says is added to `faults`, and the issue comes without it.

    Raises:
        AuthorError: It isn't there, or can't be read at all; without `faults`, the first of them. Names file, line
            and what to write.

    """
    if not folder.is_dir():
        raise _missing(folder.parent, folder.name)
    path = folder / ("issue.md" if language is None else f"issue.{language}.md")
    if not path.is_file() and language is not None:
        first = read(folder, faults=faults)
        if first.language == language:
            return first
        raise AuthorError(f"{path.name} is missing; translate issue.md there", f"{folder.parent.name}/{folder.name}")
    if not path.is_file():
        raise AuthorError(
            "issue.md is missing; write it, or begin with `mailer new`", f"{folder.parent.name}/{folder.name}"
        )
    source = Source.load(path)
    issue = _read(source, path, language)
    if source.faults and faults is None:
        raise _first(source.faults, folder.name)
    if faults is not None:
        faults += source.faults
    return issue


def translations(folder: Path) -> tuple[str, ...]:
    """The languages that `issue.md` is translated into, by name."""
    return tuple(sorted(found[1] for path in folder.iterdir() if (found := _TRANSLATION.fullmatch(path.name))))


def _line(fault: AuthorError) -> int:
    return int(fault.where.rpartition(":")[2])


def _first(faults: list[AuthorError], name: str) -> AuthorError:
    """The first fault, which says how many follow."""
    more = f" (the first of {len(faults)} faults; `mailer check {name}` tells them all)" if len(faults) > 1 else ""
    return AuthorError(faults[0].message + more, faults[0].where)


def _read(source: Source, path: Path, language: str | None) -> Issue:
    front = FrontMatter(source)
    told = front.language(language or SOURCE)
    if language and told != language:
        wrong = f"the file is called {path.name} but its language is {told}; write language: {language}"
        source.faults.append(front.wrong("language", wrong))
        told = language
    texts, month, number, sdgs = front.texts, front.month, front.number, front.sdgs
    above = len(source.faults)
    sections = read_sections(source, front.end + 1, path.parent)
    source.faults[above:] = sorted(source.faults[above:], key=_line)
    return Issue(
        name=path.parent.name,
        folder=path.parent,
        language=told,
        title=texts["title"],
        month=month,
        number=number,
        subject=texts["subject"],
        preheader=texts["preheader"],
        tagline=texts.get("tagline", ""),
        office=texts.get("office", ""),
        department=texts.get("department", ""),
        sdgs=sdgs,
        sections=sections,
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
