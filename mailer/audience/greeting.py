"""
How a person is greeted: honorific × post × gender, by the rules of `forms_of_address.toml`.

A gender is only what the list says: a gendered post ("Alcaldesa") or honorific ("Sra."). It is never guessed from a
name; where it isn't said, the form is neutral.
"""

import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal

import msgspec

from mailer.audience.folding import fold
from mailer.audience.recipient import Recipient

FORMS: Final = Path(__file__).with_name("forms_of_address.toml")
_FALLBACK: Final = "es"
_BOTH_GENDERS: Final = re.compile(r"\(\s*s?a\s*\)|/|@")

Gender = Literal["m", "f", "unknown"]


class _Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    post: str
    name: str
    excellency: str = ""


class _Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    neutral: str
    excellency: str
    m: _Sentences
    f: _Sentences
    unknown: _Sentences


class _Honorific(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    written: tuple[str, ...] = ()
    gender: Gender = "unknown"
    excellency: bool = False
    es: str = ""
    en: str = ""


class _Post(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    m: str = ""
    f: str = ""
    en: str = ""
    also: tuple[str, ...] = ()
    excellency: bool = False

    def word(self, language: str, gender: Gender) -> str:
        """The post's name; empty where the language tells women from men and the gender isn't known."""
        if language == "en":
            return self.en
        if gender == "unknown":
            return self.m if self.m == self.f else ""
        return self.f if gender == "f" else self.m


class _Offices(msgspec.Struct, frozen=True):
    words: tuple[str, ...]


class _Forms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    es: _Language
    en: _Language
    honorifics: tuple[_Honorific, ...]
    posts: tuple[_Post, ...]
    offices: _Offices

    def language(self, name: str) -> tuple[str, _Language]:
        """The sentences of a language, or the fallback's."""
        code = name.partition("-")[0]
        return (code, getattr(self, code)) if code in {"es", "en"} else (_FALLBACK, self.es)


def greeting(recipient: Recipient) -> str:
    """
    The greeting of one recipient in their language, without punctuation at the end.

    >>> def greet(**known): return greeting(Recipient(1, "a@a.example", "gads", known.pop("language", "es"), **known))
    >>> greet(honorific="S.E.", position="Embajadora")
    'Excelentísima señora Embajadora'
    >>> greet(honorific="Ing.", position="Alcalde del cantón Nabón", name="Juan Pérez")
    'Estimado señor Alcalde'
    >>> greet(honorific="Sra.", position="Cónsul"), greet(position="Técnico"), greet(honorific="Dra.", name="Ana Ruiz")
    ('Estimada señora Cónsul', 'Estimada/o colega', 'Estimada doctora Ana Ruiz')
    >>> greet(language="en", honorific="S.E.", position="Embajador"), greet(language="en", position="Alcaldesa")
    ('Your Excellency', 'Dear Mayor')
    """
    language, honorific, position = recipient.language, recipient.honorific, recipient.position
    return _of_post(language, honorific, position) or _of_name(language, honorific, position, recipient.name)


def envelope_name(recipient: Recipient) -> str:
    """
    The name beside the address in the To header: the person's with their honorific, or the institution's.

    >>> envelope_name(Recipient(1, "a@a.example", "gads", "es", honorific="Dra.", name="Ana Ruiz"))
    'Dra. Ana Ruiz'
    """
    if recipient.name and not is_office(recipient.name):
        return f"{recipient.honorific} {recipient.name}".strip()
    return recipient.institution or recipient.name


@lru_cache(1 << 12)
def _of_post(language: str, honorific: str, position: str) -> str:
    """The greeting that goes by the post or the rank alone; nothing where the name is needed."""
    code, sentences = _forms().language(language)
    title, post, gender = _rank(honorific, position)
    word = post.word(code, gender) if post else ""
    chosen: _Sentences = getattr(sentences, gender)
    if title.excellency or (post and post.excellency):
        return chosen.excellency.format(post=word) if word and chosen.excellency else sentences.excellency
    return chosen.post.format(post=word) if word else ""


@lru_cache(1 << 12)
def _of_name(language: str, honorific: str, position: str, name: str) -> str:
    code, sentences = _forms().language(language)
    if not name or is_office(name):
        return sentences.neutral
    title, _, gender = _rank(honorific, position)
    chosen: _Sentences = getattr(sentences, gender)
    return " ".join(chosen.name.format(title=getattr(title, code), name=name).split())


def _rank(honorific: str, position: str) -> tuple[_Honorific, _Post | None, Gender]:
    title = _honorifics().get(fold(honorific), _Honorific())
    post, gender = _post(position)
    return title, post, title.gender if gender == "unknown" else gender


@lru_cache(1 << 12)
def is_office(name: str) -> bool:
    """
    Whether a "name" is an office's and no person's.

    >>> is_office("Secretaría General"), is_office("María Pérez")
    (True, False)
    """
    return not _office_words().isdisjoint(fold(name).split())


@lru_cache(1 << 12)
def _post(position: str) -> tuple[_Post | None, Gender]:
    """The post that the text begins with, and the gender that its word tells."""
    words = fold(position).split()
    for length in range(len(words), 0, -1):
        found = _posts().get(" ".join(words[:length]))
        if found is not None:
            post, gender = found
            return post, "unknown" if _BOTH_GENDERS.search(position) else gender
    return None, "unknown"


@cache
def _forms() -> _Forms:
    return msgspec.convert(tomllib.loads(FORMS.read_text(encoding="utf-8")), _Forms)


@cache
def _honorifics() -> dict[str, _Honorific]:
    return {fold(written): honorific for honorific in _forms().honorifics for written in honorific.written}


@cache
def _posts() -> dict[str, tuple[_Post, Gender]]:
    found: dict[str, tuple[_Post, Gender]] = {}
    for post in _forms().posts:
        for word in (post.en, *post.also):
            if word:
                found[fold(word)] = (post, "unknown" if post.f else "m")
        found[fold(post.m)] = (post, "unknown" if post.m == post.f else "m")
        if post.f and post.f != post.m:
            found[fold(post.f)] = (post, "f")
    return found


@cache
def _office_words() -> frozenset[str]:
    return frozenset(fold(word) for word in _forms().offices.words)
