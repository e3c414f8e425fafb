"""The preflight: every family of rules over one issue. Errors block a send, warnings are for a person to judge."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from mailer.editions.checks.accessibility import accessibility, link_texts
from mailer.editions.checks.axe import judged_by_axe
from mailer.editions.checks.calendar import repeated, send_day
from mailer.editions.checks.catalogue import waive
from mailer.editions.checks.circumstances import Circumstances
from mailer.editions.checks.content import content, strangers
from mailer.editions.checks.dates import dates
from mailer.editions.checks.deliverability import alignment, deliverability, spam_score
from mailer.editions.checks.html import html
from mailer.editions.checks.lexicon import lexicon
from mailer.editions.checks.links import links, other_texts, unreachable
from mailer.editions.checks.names import names
from mailer.editions.checks.personalisation import personalisation
from mailer.editions.checks.pictures import pictures
from mailer.editions.checks.remark import Remark
from mailer.editions.checks.spelling import own_words, spelling
from mailer.editions.checks.typography import typography
from mailer.editions.checks.weight import weight
from mailer.editions.edition import Compiled, Finding, Report
from mailer.issues.issue import Issue


def check(issues: Sequence[Issue], compiled: Compiled | None, known: Circumstances) -> Report:
    """
    Judge an issue in all its languages, and its editions if they are compiled already.

    The first of the issues is the one that the others translate. Findings stand in the order of the files.
    """
    remarks = [
        *(remark for issue in issues for remark in _one_language(issue, compiled, known)),
        *(remark for issue in issues[1:] for remark in strangers(issue, issues[0])),
        *_whole(issues[0], compiled, known),
    ]
    # Editions of several segments share most of what can be wrong with them.
    left, waived = waive(dict.fromkeys(remarks), known.waivers)
    order = sorted(left, key=lambda remark: _place(remark.finding.where))
    return Report(
        issue=issues[0].name,
        errors=tuple(remark.finding for remark in order if remark.blocks),
        warnings=tuple(remark.finding for remark in order if not remark.blocks),
        waived=waived,
    )


def with_faults(report: Report, faults: Iterable[Finding]) -> Report:
    """The report with what could not be read at all among its errors."""
    errors = sorted({*report.errors, *faults}, key=lambda finding: _place(finding.where))
    return msgspec.structs.replace(report, errors=tuple(errors))


def _one_language(issue: Issue, compiled: Compiled | None, known: Circumstances) -> Iterator[Remark]:
    """What the text in one language and its editions show by themselves."""
    yield from content(issue, known.segments)
    yield from dates(issue)
    yield from typography(issue)
    own = own_words(known.office_words)
    with lexicon(issue.language, known.dictionaries, known.memory) as dictionary:
        yield from spelling(issue, own, dictionary)
        yield from names(issue, own, dictionary)
    yield from links(issue)
    yield from other_texts(issue)
    yield from link_texts(issue)
    if known.reachable:
        yield from unreachable(issue, known.reachable)
    yield from pictures(issue, compiled)
    yield from weight(issue, compiled, known.sending)
    editions = [each for each in compiled.editions if each.language == issue.language] if compiled else []
    for edition in editions:
        yield from html(issue, edition, known.plain)
        yield from accessibility(issue, edition)
        if known.sending:
            yield from deliverability(issue, edition, known.sending)
    # A browser takes its time, and what a segment's edition has beyond the others' is made of the same pieces.
    if known.axe and editions:
        yield from judged_by_axe(issue, editions[0], known.axe)


def _whole(issue: Issue, compiled: Compiled | None, known: Circumstances) -> Iterator[Remark]:
    """What concerns the issue as it goes out, in whatever language."""
    if known.send_on:
        yield from send_day(issue, known.send_on, known.silences)
    if known.previous:
        yield from repeated(issue, known.previous)
    if compiled:
        yield from personalisation(issue, compiled, known.segments, known.readers)
    if compiled and known.sending:
        yield from alignment(issue, known.sending)
        yield from spam_score(issue, compiled.editions[0], known.sending)


def _place(where: str) -> tuple[str, int]:
    file, _, line = where.rpartition(":")
    return (file, int(line)) if line.isdigit() else (where, 0)
