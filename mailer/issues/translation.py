"""A translation that lacks articles: the original's stand in, each marked with the language that it is in."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from mailer.issues.issue import Article, Issue, Section

_Piece = TypeVar("_Piece", Article, Section)


def completed(translation: Issue, original: Issue) -> Issue:
    """
    The translation with the original's article wherever it has none of that id, in the original's place.

    Names of the office that it leaves out are the original's too. The original itself comes back as it is.
    """
    if translation.language == original.language:
        return translation
    told = {article.id for article in translation.articles}
    lacking = {section.id: _lacking(section, told, original.language) for section in original.sections}
    orders = {section.id: [article.id for article in section.articles] for section in original.sections}
    known = [
        replace(section, articles=_in_order(section.articles, orders[section.id], lacking.pop(section.id)))
        if section.id in lacking
        else section
        for section in translation.sections
    ]
    whole = {
        section.id: replace(section, articles=tuple(lacking[section.id].values()))
        for section in original.sections
        if lacking.get(section.id)
    }
    return replace(
        translation,
        sections=_in_order(known, list(orders), whole),
        office=translation.office or original.office,
        department=translation.department or original.department,
    )


def _lacking(section: Section, told: set[str], language: str) -> dict[str, Article]:
    """The articles of a section that the translation lacks, marked with the original's language."""
    return {article.id: replace(article, language=language) for article in section.articles if article.id not in told}


def _in_order(own: Sequence[_Piece], order: Sequence[str], added: Mapping[str, _Piece]) -> tuple[_Piece, ...]:
    """The pieces with those added, each behind what stands before it in the original."""
    joined = list(own)
    for index, name in enumerate(order):
        if name in added:
            before = set(order[:index])
            behind = max((place for place, piece in enumerate(joined, 1) if piece.id in before), default=0)
            joined.insert(behind, added[name])
    return tuple(joined)
