"""The preflight: every family of rules over one issue. Errors block a send, warnings are for a person to judge."""

from collections.abc import Collection
from pathlib import Path

from mailer.editions.checks.content import content
from mailer.editions.checks.hunspell import SYSTEM
from mailer.editions.checks.links import links
from mailer.editions.checks.pictures import pictures
from mailer.editions.checks.spelling import spelling
from mailer.editions.checks.typography import typography
from mailer.editions.checks.weight import weight
from mailer.editions.edition import Compiled, Report
from mailer.issues.issue import Issue


def check(
    issue: Issue,
    compiled: Compiled | None = None,
    *,
    segments: Collection[str],
    office_words: Path | None = None,
    dictionaries: Path = SYSTEM,
) -> Report:
    """
    Judge an issue, and its editions if they are compiled already.

    `segments` are the names that an article may be for, `office_words` a file of words that are spelled right,
    `dictionaries` the folder of Hunspell's. Findings stand in the order of the file.
    """
    remarks = [
        *content(issue, segments),
        *typography(issue),
        *spelling(issue, office_words, dictionaries),
        *links(issue),
        *pictures(issue, compiled),
        *weight(issue, compiled),
    ]
    remarks.sort(key=lambda remark: _line(remark.finding.where))
    return Report(
        issue=issue.name,
        errors=tuple(remark.finding for remark in remarks if remark.blocks),
        warnings=tuple(remark.finding for remark in remarks if not remark.blocks),
    )


def _line(where: str) -> int:
    line = where.rpartition(":")[2]
    return int(line) if line.isdigit() else 0
