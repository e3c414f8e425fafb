"""Where in an issue a finding belongs: to an article, to a section, or to the issue as a whole."""

from collections.abc import Sequence

import msgspec

from mailer.editions.edition import Finding, Report
from mailer.issues.issue import Issue


class Placed(msgspec.Struct, frozen=True):
    """A finding with its line and the id of the article or section that the line is in (none: the whole issue)."""

    code: str
    where: str
    message: str
    is_error: bool
    line: int
    language: str
    anchor: str
    title: str


def placed(issues: Sequence[Issue], report: Report) -> list[Placed]:
    """All findings, each with its place; errors first, then by place."""
    found = [_place(issues, finding, is_error=True) for finding in report.errors]
    return found + [_place(issues, finding, is_error=False) for finding in report.warnings]


def _place(issues: Sequence[Issue], finding: Finding, *, is_error: bool) -> Placed:
    file, _, number = finding.where.rpartition(":")
    line = int(number) if number.isdigit() else 0
    issue = next((issue for issue in issues if issue.where() in {file, finding.where}), None)
    anchor, title = _piece(issue, line) if issue else ("", "")
    return Placed(
        code=finding.code,
        where=finding.where,
        message=finding.message,
        is_error=is_error,
        line=line,
        language=issue.language if issue else "",
        anchor=anchor,
        title=title,
    )


def _piece(issue: Issue, line: int) -> tuple[str, str]:
    """The article or section whose heading stands last above the line."""
    pieces = [(section.line, section.id, section.title) for section in issue.sections if section.title]
    pieces += [(article.line, article.id, article.title) for article in issue.articles]
    above = [piece for piece in sorted(pieces) if piece[0] <= line]
    return above[-1][1:] if above else ("", "")
