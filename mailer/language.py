"""
Words, months and numbers in the reader's language.

Source strings are Spanish; other languages come from `mailer/locale/<language>/LC_MESSAGES/mailer.po`.
"""

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

from babel import Locale
from babel.dates import format_date, format_interval
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

LOCALES: Final = Path(__file__).parent / "locale"
SOURCE: Final = "es"


class Words:
    """Translates the source strings into one language; a string without translation stays as it is."""

    def __init__(self, language: str, messages: dict[str, str]) -> None:
        self.language = language
        self._messages = messages

    def __call__(self, text: str, **values: object) -> str:
        """
        The text in this language, its `{names}` filled in.

        >>> words("es")("Hola {name}", name="Quito")
        'Hola Quito'
        """
        found = self._messages.get(text) or text
        return found.format(**values) if values else found

    def month(self, month: date) -> str:
        """
        The month's name as it stands alone.

        >>> words("es").month(date(2022, 11, 1))
        'noviembre'
        """
        return format_date(month, "LLLL", locale=self.language)

    def short_month(self, day: date) -> str:
        """
        The month's name as it fits on a leaf of a calendar.

        >>> words("es").short_month(date(2022, 11, 1))
        'nov'
        """
        return format_date(day, "LLL", locale=self.language).rstrip(".")

    def tongue(self, language: str) -> str:
        """
        What a language is called.

        >>> words("es").tongue("en")
        'inglés'
        """
        return str(Locale.parse(self.language).languages.get(language, language))

    def days(self, first: date, last: date) -> str:
        """
        A day, or a span of days, as it stands alone.

        >>> words("es").days(date(2026, 12, 4), date(2026, 12, 6))
        '4–6 de diciembre de 2026'
        """
        if first == last:
            return format_date(first, "full", locale=self.language)
        return format_interval(first, last, "yMMMMd", locale=self.language)


@lru_cache
def words(language: str) -> Words:
    """The words of a language; one without a catalogue speaks the source language."""
    path = LOCALES / language / "LC_MESSAGES" / "mailer.po"
    if not path.exists():
        return Words(language if language == SOURCE else SOURCE, {})
    compiled = path.with_suffix(".mo")
    is_current = compiled.exists() and compiled.stat().st_mtime >= path.stat().st_mtime
    with (compiled if is_current else path).open("rb") as file:
        catalogue = read_mo(file) if is_current else read_po(file, locale=language)
    return Words(language, {str(entry.id): str(entry.string) for entry in catalogue if entry.id})
