"""
An issue judged in the circumstances of this publication: its register, its calendar, its domains, its waivers.

What the command line, the preview and the approval have in common; the rules are in `mailer.editions.checks`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from mailer import chromium, tokens
from mailer.address import Mailbox, domain_of
from mailer.audience.greeting import envelope_name, greeting
from mailer.audience.recipient import Recipient
from mailer.audience.segments import resolved
from mailer.editions.check import check, with_faults
from mailer.editions.checks.axe import Barrier, barriers
from mailer.editions.checks.catalogue import UNREADABLE, refuse_unknown
from mailer.editions.checks.circumstances import Circumstances, Failure, Reader, Sending, Silence, Waiver
from mailer.editions.checks.kept_answers import kept
from mailer.editions.checks.plainest import plainest_html
from mailer.editions.checks.reachability import ask
from mailer.editions.edition import Compiled, Edition, Finding, Report
from mailer.editions.sample import sample_html
from mailer.errors import AuthorError, OperatorError
from mailer.issues import Issue, locate, read
from mailer.issues.reading import NAME
from mailer.messages import headers
from mailer.messages.alignment import require_alignment
from mailer.messages.personalise import personalise
from mailer.messages.stencil import cut
from mailer.messages.trail import CLICKER, Laid, Trail, Trails, led, links_of
from mailer.storage.register.reading import recipients

if TYPE_CHECKING:
    from mailer.app import App

DICTIONARY: Final = "dictionary.txt"
_LONG: Final = "9999999"


class Judged(msgspec.Struct, frozen=True):
    """An issue with its editions and what the check says; nothing but the report if it couldn't be read."""

    report: Report
    issues: tuple[Issue, ...] = ()
    compiled: Compiled | None = None


def judge(
    app: "App", name: str, *, online: bool = False, in_browser: bool = False, send_on: date | None = None
) -> Judged:
    """
    Read, compile and judge an issue; what can't be used of it is an error, and the rest is judged without it.

    `online` asks for the linked pages, `in_browser` lets axe-core judge in chromium: both take seconds.

    Raises:
        AuthorError: There is no such issue.
        OperatorError: `[check.rules]` names a rule that isn't there, or gives no reason.

    """
    waivers = {code: Waiver(rule.level, rule.reason) for code, rule in app.config.check.rules.items()}
    refuse_unknown(waivers, app.loaded.path.name)
    folder = app.loaded.resolve(app.config.content.issues)
    locate(folder, name)
    try:
        issues, compiled, faults = app.press.attempt(name)
        plain = _plain(app, issues[0].language) if compiled else ""
    except AuthorError as problem:
        return Judged(Report(name, errors=(_finding(problem),)))
    known = msgspec.structs.replace(
        _circumstances(app, folder, issues[0]),
        waivers=waivers,
        plain=plain,
        send_on=send_on or _monthly_day(app, issues[0]),
        reachable=_reachable(app) if online else None,
        axe=partial(_barriers, app) if in_browser else None,
    )
    report = check(issues, compiled, known)
    return Judged(with_faults(report, map(_finding, faults)) if faults else report, issues, compiled)


def _circumstances(app: "App", folder: Path, issue: Issue) -> Circumstances:
    """What the publication knows beside an issue of the folder, whatever it is judged for."""
    return Circumstances(
        segments=tuple(app.config.segments),
        office_words=folder / DICTIONARY,
        memory=app.loaded.resolve("var/cache"),
        silences=tuple(Silence(each.from_, each.to, each.reason) for each in app.config.check.silences),
        previous=_previous(folder, issue.name),
        readers=_readers(app),
        sending=_sending(app),
    )


def _finding(problem: AuthorError) -> Finding:
    return Finding(UNREADABLE, problem.where, problem.message)


def readers_of(app: "App", segment: str | None = None) -> Iterator[Recipient]:
    """Those who would get an issue sent now, streamed; nobody if there is no register yet."""
    url = app.config.database.url.removeprefix("sqlite:///")
    if "://" not in url and not app.loaded.resolve(url).is_file():
        return
    segments = list(app.config.segments)
    rules = resolved(segments, app.register.rules())
    for reader in recipients(app.database, segments, app.config.publication.language, rules):
        if segment in {None, reader.segment}:
            yield reader


def _barriers(app: "App", edition: Edition) -> list[Barrier]:
    return barriers(sample_html(edition, app.imprint), chromium.finished)


def _monthly_day(app: "App", issue: Issue) -> date:
    """The day, where the publication is, on which the schedule sends this month's issue."""
    return app.calendar.in_month(issue.month.year, issue.month.month).astimezone(app.calendar.zone).date()


def _plain(app: "App", language: str) -> str:
    titles = {name: segment.title for name, segment in app.config.segments.items()}
    return plainest_html(language, titles, app.imprint, app.press.templates / "brief", app.press.theme)


def _previous(folder: Path, name: str) -> Issue | None:
    earlier = sorted(path.name for path in folder.iterdir() if NAME.fullmatch(path.name) and path.name < name)
    try:
        return read(folder / earlier[-1]) if earlier else None
    except AuthorError:  # its own check says what is wrong with it
        return None


def _readers(app: "App") -> Iterator[Reader]:
    for reader in readers_of(app):
        values = {"greeting": greeting(reader), "institution": reader.institution}
        yield Reader(reader.email, reader.segment, reader.language, values, _unwritable(reader, values))


def _unwritable(reader: Recipient, values: dict[str, str]) -> str:
    try:
        headers.mailbox_field("To", Mailbox(envelope_name(reader), reader.email))
        for slot, value in values.items():
            headers.refuse_breaks(value, slot)
    except headers.Unwritable as problem:
        return str(problem)
    return ""


def _sending(app: "App") -> Sending:
    letterhead = app.letterhead
    # The messages are only looked at: any secret signs their links, and the publication's own stays unread.
    signer = tokens.Signer([tokens.new_secret()])

    def message(edition: Edition) -> bytes:
        nobody = Recipient(subscriber_id=0, email="reader@reader.example", segment=edition.segment, language="es")
        stencil = cut(edition, letterhead, campaign=0, date=app.clock.now(), trail=_trail(app, edition, signer))
        return personalise(stencil, nobody, signer=signer, greet=greeting).content

    def page(edition: Edition) -> str:
        trail = _trail(app, edition, signer)
        sent = led(edition, trail).html if trail else edition.html
        return sent.replace(f"@@{CLICKER}@@", signer.sign(CLICKER, _LONG))

    unprinted = app.config.content.pdf and chromium.browser() is None
    return Sending(
        public_url=letterhead.public_url,
        message=message,
        misaligned=_misaligned(app),
        is_unprinted=unprinted,
        html=page,
    )


def _trail(app: "App", edition: Edition, signer: tokens.Signer) -> Trail | None:
    """Where the links would lead; their numbers are as long as they will be in many years."""
    key = edition.segment, edition.language
    tracking, numbers = app.config.feedback.tracking, dict.fromkeys(links_of(edition), int(_LONG))
    laid = Laid(tracking, {key: numbers}, {key: int(_LONG)}) if tracking != "none" else Laid()
    trails = Trails(laid, signer, app.letterhead.public_url)
    return trails.of(edition, named=trails.are_individual)


def _misaligned(app: "App") -> str:
    try:
        require_alignment(
            domain_of(app.letterhead.sender.address),
            bounces=app.letterhead.bounce_domain,
            signers=[key.domain for key in app.config.signing if key.domain],
        )
    except OperatorError as problem:
        return str(problem)
    return ""


def _reachable(app: "App") -> Callable[[Collection[str]], Mapping[str, Failure]]:
    agent = f"mailer (checks the links of a newsletter; {app.config.publication.public_url})"
    return kept(app.loaded.resolve("var/cache/links.json"), app.clock.now(), partial(ask, agent=agent))
