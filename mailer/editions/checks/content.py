"""Content: what is missing, left over, there twice, or doesn't fit the issue's month."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from mailer.editions.checks.dates import months
from mailer.editions.checks.passages import Passage, passages
from mailer.editions.checks.remark import Remark, error, warning
from mailer.editions.edition import SLOT
from mailer.issues.issue import Article, Issue, Section
from mailer.issues.markdown import to_words
from mailer.suggest import did_you_mean

SUBJECT: Final = range(30, 61)
PREHEADER: Final = range(40, 111)
# Thirty in Roman numerals counts something: "XXX Congreso", "XXX ANIVERSARIO".
_CROSSES: Final = r"\bXXX\b(?!\s+[A-ZÁÉÍÓÚÑ]\w{3})|\bX{4,}\b"
# "TODO" is also Spanish for "all": it is left over only where it has a colon behind it, or begins a passage that
# doesn't go on in capitals ("TODO EL MUNDO").
_LEFT_OVER: Final = re.compile(
    rf"{_CROSSES}|\bxxx+\b|\A\W*TODO\b(?!\s+[A-ZÁÉÍÓÚÑ]{{2}})|\bTODO:|\bFIXME\b|\bTBD\b"
    r"|\[(?:…|\.\.\.)\]|\?{3,}|\b(?i:lorem ipsum|escriba aquí)\b"
)
_BROKEN_TABLE: Final = re.compile(r"\|\s*:?-{2,}")
# Two lines of cells, as a word processor's table is pasted; a list's item may have a tab behind its number.
_TABBED: Final = re.compile(r"^(?![ \t]*(?:[-*+]|\d+[.)])\t)[^\n\t|]*[^\s|]\t+[^\n|]+\n[^\n\t|]*[^\s|]\t", re.MULTILINE)
_HTML: Final = re.compile(
    r"</?(?:[bipua]|br|em|strong|span|div|font|img|table|t[drh]|h[1-6]|ul|ol|li|center)\b[^<>]*>|&(?:[a-z]{2,8}|#\d{2,5});",
    re.IGNORECASE,
)
_NOTE: Final = re.compile(r"\[(\^[^\]\s]+)\](?!:)")
_NOTE_TEXT: Final = re.compile(r"^[ \t]*\[(\^[^\]\s]+)\]:", re.MULTILINE)
_LEFT_OVER_IN_CAPITALS: Final = re.compile(rf"{_CROSSES}|\bTODO:|\bFIXME\b|\[(?:…|\.\.\.)\]|LOREM IPSUM")
# In these a title with its figure, date, picture or document says all.
_COMPACT: Final = frozenset({"figures", "events", "gallery", "documents"})
_ENOUGH_TO_SHOUT: Final = 30


def content(issue: Issue, segments: Collection[str]) -> Iterator[Remark]:
    """What the content family has to say about an issue."""
    yield from _inbox(issue)
    for section in issue.sections:
        if not section.articles and not section.intro:
            where = issue.where(section.line)
            yield error(
                "empty-section", where, f'nothing stands below "{section.title}"; write its articles or delete it'
            )
        yield from _segments(issue, section, segments)
        yield from _unworn(issue, section)
        for article in section.articles:
            yield from _empty(issue, section, article)
            yield from _unread(issue, article)
            yield from _segments(issue, article, segments)
    if not issue.articles:
        yield error("empty-issue", issue.where(), "the issue has no article; write one below a ### heading")
    yield from _twice(issue)
    for passage in passages(issue):
        yield from _typed_html(issue, passage)
        yield from _left_over(issue, passage)
        yield from _shouted(issue, passage)


def strangers(translation: Issue, original: Issue) -> Iterator[Remark]:
    """
    Articles of a translation that the original doesn't have: their twins would stand beside them, untranslated.

    They are known by their id, which is made of the title where none is given, and a translated title makes another.
    """
    told, known = {piece.id for piece in _pieces(translation)}, {piece.id for piece in _pieces(original)}
    for piece in _pieces(translation):
        if piece.id not in known:
            twin = next((other.id for other in _pieces(original) if other.id not in told), "")
            like = f"; write the id of its original below the title, as in {{id={twin or 'its-name'}}}"
            message = f'"{piece.title}" translates nothing in {original.file}{like}'
            yield warning("translation", translation.where(piece.line), message)


def _pieces(issue: Issue) -> list[Article | Section]:
    pieces: list[Article | Section] = []
    for section in issue.sections:
        pieces += [section, *section.articles] if section.id else section.articles
    return pieces


def _empty(issue: Issue, section: Section, article: Article) -> Iterator[Remark]:
    beside = article.figure or article.when or article.picture or article.button
    if not article.body and not (section.layout in _COMPACT and beside):
        where = issue.where(article.line)
        yield error("empty-article", where, f'the article "{article.title}" has no text; write it or delete it')


def _unread(issue: Issue, article: Article) -> Iterator[Remark]:
    """What was meant for a table or a note and reads as dashes and brackets."""
    where = issue.where(article.body_line)
    if tabbed := _TABBED.search(article.body):
        line = article.body_line + article.body.count("\n", 0, tabbed.start())
        told = "cells with tabs between them run into one line; write a table with | between them (issues/README.md)"
        yield error("table", issue.where(line), told)
    if _BROKEN_TABLE.search(to_words(article.body)):
        told = "the table can't be read; leave a line free above it, and give every row as many cells as the first"
        yield error("table", where, told)
    for name in sorted({*_NOTE.findall(article.body)} ^ {*_NOTE_TEXT.findall(article.body)}):
        told = f'the note [{name}] is not whole; write [{name}] in a sentence and "[{name}]: its text" below, both here'
        yield error("note", where, told)


def _inbox(issue: Issue) -> Iterator[Remark]:
    for key, fits in (("subject", SUBJECT), ("preheader", PREHEADER)):
        length, where = len(getattr(issue, key)), issue.where(issue.lines.get(key))
        if length and length not in fits:  # that it is missing has been said
            aim = f"{fits.start} to {fits.stop - 1}"
            yield warning(f"{key}-length", where, f"the {key} has {length} characters; inboxes show {aim} best")
    names = months(issue.language)
    # What is to come may be named too; a month gone by was left over from an earlier issue.
    expected = {names[(issue.month.month - 1 + ahead) % 12] for ahead in (0, 1)} if names else set()
    for key in ("subject", "preheader"):
        text, where = getattr(issue, key), issue.where(issue.lines.get(key))
        # "may" and "march" are English verbs too: there a month counts by its capital.
        named = [name for name in names if re.search(rf"\b(?:{name.capitalize()}|{name.upper()})\b", text)]
        if issue.language == "es":
            named = [name for name in names if re.search(rf"\b{name}\b", text, re.IGNORECASE)]
        if named and expected.isdisjoint(named):
            told = f"the {key} speaks of {named[0]}, but this is the issue of {names[issue.month.month - 1]}"
            yield warning("month", where, told)


def _segments(issue: Issue, piece: Article | Section, known: Collection[str]) -> Iterator[Remark]:
    for segment in piece.segments:
        if segment not in known:
            where = issue.where(piece.line)
            yield error(
                "segment", where, f'the segment "{segment}" is not in config.toml; {did_you_mean(segment, known)}'
            )


def _twice(issue: Issue) -> Iterator[Remark]:
    titles: dict[str, int] = {}
    bodies: dict[str, int] = {}
    for article in issue.articles:
        body, title = " ".join(article.body.casefold().split()), article.title.casefold()
        where = issue.where(article.line)
        if body and body in bodies:
            yield error(
                "duplicate", where, f"the article has the same text as the one on line {bodies[body]}; delete one"
            )
        elif title in titles:
            yield warning("duplicate", where, f"the article has the same title as the one on line {titles[title]}")
        bodies.setdefault(body, article.line)
        titles.setdefault(title, article.line)


def _typed_html(issue: Issue, passage: Passage) -> Iterator[Remark]:
    if found := _HTML.search(passage.text):
        told = (
            f'readers would see "{found[0]}" as it is typed, for HTML is not obeyed; write **bold**, *italics*, links'
        )
        yield error("typed-html", issue.where(passage.line_at(found.start())), told)


def _unworn(issue: Issue, section: Section) -> Iterator[Remark]:
    """Layouts of articles that their section's layout overrules."""
    for article in section.articles:
        if section.layout and article.layout:
            told = (
                f'the layout "{article.layout}" is not worn in a section of layout "{section.layout}"; take it out, '
                f"or begin a section (##) without layout above it"
            )
            yield warning("layout", issue.where(article.line), told)


def _left_over(issue: Issue, passage: Passage) -> Iterator[Remark]:
    rule = _LEFT_OVER_IN_CAPITALS if passage.in_capitals else _LEFT_OVER
    for found in rule.finditer(passage.text):
        where = issue.where(passage.line_at(found.start()))
        yield error("placeholder", where, f'"{found[0].strip()}" was left over; write what belongs there')
    if slot := SLOT.search(passage.text):
        where = issue.where(passage.line_at(slot.start()))
        yield error("placeholder", where, f'"{slot[0]}" is a mark of the template; take it out of the text')


def _shouted(issue: Issue, passage: Passage) -> Iterator[Remark]:
    if passage.kind == "text" and passage.in_capitals and len(passage.text) >= _ENOUGH_TO_SHOUT:
        yield warning("capitals", issue.where(passage.line), "the paragraph is all in capitals; write it in lower case")
