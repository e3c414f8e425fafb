"""Deliverability: what receiving servers compare and count before a person sees anything."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Final

from mailer.editions.checks.circumstances import Sending
from mailer.editions.checks.html import parsed
from mailer.editions.checks.remark import Remark, error, warning
from mailer.editions.edition import Edition
from mailer.issues.issue import Issue

WORDS_A_PICTURE: Final = 25
_SPAM_SECONDS: Final = 60
_LONGEST_LINE: Final = 998
_STATUS: Final = re.compile(r"score=(-?[\d.]+)\s+required=([\d.]+)")
# A line of SpamAssassin's table, and those that its description goes on in.
_RULE: Final = re.compile(r"^[ ]*(\d+\.\d) ([A-Z][A-Z0-9_]+)[ ]+(.*(?:\n {10,}\S.*)*)", re.MULTILINE)
_RULES_SHOWN: Final = 6


def deliverability(issue: Issue, edition: Edition, sending: Sending) -> Iterator[Remark]:
    """What the deliverability family has to say about one edition and the message that it becomes."""
    yield from _unsubscribing(issue, edition, sending)
    yield from _text_part(issue, edition)
    yield from _pictures_and_words(issue, edition)


def alignment(issue: Issue, sending: Sending) -> Iterator[Remark]:
    """Whether From, bounces and signatures are of one organisation, as DMARC asks."""
    if sending.misaligned:
        yield error("sender-alignment", issue.where(), sending.misaligned)


def _unsubscribing(issue: Issue, edition: Edition, sending: Sending) -> Iterator[Remark]:
    content = sending.message(edition)
    if max(map(len, content.split(b"\r\n"))) > _LONGEST_LINE:
        told = f"the message has a line of more than {_LONGEST_LINE} octets, which servers cut (RFC 5322); shorten it"
        yield error("html-lines", issue.where(), told)
    message = message_from_bytes(content, policy=policy.default)
    named = str(message.get("List-Unsubscribe", ""))
    ways = re.findall(r"<([^>]+)>", named)
    if not ways or "One-Click" not in str(message.get("List-Unsubscribe-Post", "")):
        told = "the message has no one-click unsubscription (RFC 8058), which Gmail and Yahoo ask for"
        yield error("unsubscribe-header", issue.where(), told)
    elif not any(way.startswith("https://") for way in ways):
        told = (
            f"readers leave at {sending.public_url}, and one-click unsubscription works over https only (RFC 8058); "
            f"give [publication] public_url its public https address before the send"
        )
        yield warning("unsubscribe-header", f"{issue.folder.parent.name}/{issue.name}/issue.md", told)


def _text_part(issue: Issue, edition: Edition) -> Iterator[Remark]:
    told = _plain(edition.text)
    for section in issue.sections:
        if not section.is_for(edition.segment):
            continue
        for article in section.articles:
            if article.is_for(edition.segment) and _plain(article.title) not in told:
                message = f'the text part for {edition.segment} lacks "{article.title}"; readers without HTML miss it'
                yield error("text-part", issue.where(article.line), message)


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text).casefold().strip()


def _pictures_and_words(issue: Issue, edition: Edition) -> Iterator[Remark]:
    page = parsed(edition.html)
    for style in page.xpath("//style | //script | //title"):
        style.drop_tree()
    words, pictures = len(page.text_content().split()), len(edition.images)
    if pictures and words / pictures < WORDS_A_PICTURE:
        told = (
            f"{words} words stand beside {pictures} pictures; filters take such mail for advertising: "
            f"write {WORDS_A_PICTURE} words a picture or more"
        )
        yield warning("image-heavy", issue.where(), told)


def spam_score(issue: Issue, edition: Edition, sending: Sending) -> Iterator[Remark]:
    """SpamAssassin's score by its local rules, where the program is installed; no network."""
    program = shutil.which("spamassassin")
    if program is None:
        return
    try:
        judged = subprocess.run(  # noqa: S603 - a program of the system, our own message on standard input
            [program, "--local", "--test-mode"],
            input=sending.message(edition),
            capture_output=True,
            timeout=_SPAM_SECONDS,
            check=False,
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired):
        return
    found = _STATUS.search(re.sub(r"\r?\n[ \t]+", " ", judged))
    if found and float(found[1]) >= float(found[2]) / 2:
        told = (
            f"SpamAssassin gives the message {found[1]} points, and at {found[2]} it is spam; mend what costs most: "
            f"{'; '.join(_dearest(judged))}"
        )
        yield warning("spam-score", issue.where(), told)


def _dearest(judged: str) -> list[str]:
    r"""
    The rules that cost most, each with its points and what SpamAssassin says of it.

    >>> _dearest("-0.0 NO_RELAYS  Informational\n 2.5 MISSING_DATE  Missing Date:\n                  header\n")
    ['2.5 Missing Date: header (MISSING_DATE)']
    """
    rules = [(float(rule[1]), f"{' '.join(rule[3].split())} ({rule[2]})") for rule in _RULE.finditer(judged)]
    dearest = sorted((rule for rule in rules if rule[0]), reverse=True)[:_RULES_SHOWN]
    return [f"{points} {told}" for points, told in dearest]
