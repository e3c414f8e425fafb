"""Spelling, over the Hunspell dictionaries of the system: words in capitals too, where accents are lost most often."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec

from mailer.editions.checks.hunspell import Knows
from mailer.editions.checks.passages import Passage, passages
from mailer.editions.checks.remark import Remark, warning
from mailer.errors import AuthorError
from mailer.issues.issue import Issue

_WORD: Final = re.compile(r"(?<![\w@./#])[^\W\d_]+(?:[’'-][^\W\d_]+)*(?![\w@]|\.\w)")
_ROMAN: Final = re.compile(r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_ACRONYM: Final = re.compile(r"[^\W\d_]{2,6}")
_SENTENCE_END: Final = re.compile(r"(?:^|[.!?…])[\s\"“”«»()¿¡–—-]*$")
# After these a full stop ends no sentence: "la Dra. Wills", "S.E. Frédérique Dubois", "J. Pérez".
_TITLE: Final = re.compile(
    r"(?:\b(?:[^\W\d_]|Sr|Sra|Srta|Dr|Dra|Ing|Lic|Lcdo|Lcda|Abg|Ab|Econ|Arq|Mgs|Msc|Prof|Gral|Crnl|Excmo|Excma|Emb"
    r"|Mr|Mrs|Ms|St|Hon|Amb))\.\s*$"
)
_ACCENTS: Final = {"a": "á", "e": "é", "i": "í", "o": "ó", "u": "úü", "n": "ñ"}
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzáéíóúüñ"
_SHORT: Final = 4
_FOREIGN: Final = 3  # words of a passage
# What was left over is told by its own rule, not word by word.
_FILLING: Final = re.compile(r"lorem ipsum", re.IGNORECASE)
# Letters that sound alike in Spanish or are mixed up in English; an h that nobody hears.
_SOUNDS: Final = ("bv", "csz", "gj", "iy", "nm", "ea")


class _Word(msgspec.Struct, frozen=True):
    """A word where it stands; `named` says that it is written as names and acronyms are in running text."""

    text: str
    line: int
    named: bool


def spelling(issue: Issue, own: Collection[str], dictionary: Knows | None) -> Iterator[Remark]:
    """What the spelling family has to say about an issue; the office's `own` words are right, in small letters."""
    if dictionary is None:
        package = {"en": "hunspell-en-us"}.get(issue.language, f"hunspell-{issue.language}")
        message = f'no dictionary for "{issue.language}" is installed, so nothing was spelled; install {package}'
        yield warning("no-dictionary", issue.where(), message)
        return
    read = [list(_words(passage)) for passage in passages(issue) if not _FILLING.search(passage.text)]
    names = {word.text.casefold() for word in chain.from_iterable(read) if word.named}
    known: dict[str, bool] = {}

    def knows(text: str) -> bool:
        if text not in known:
            known[text] = text.casefold() in own or dictionary(text)
        return known[text]

    foreign = [words for words in read if _is_foreign(words, knows)]
    for words in foreign:
        told = f'most words here are in no dictionary of "{issue.language}"; translate what is in another language'
        yield warning("spelling", issue.where(words[0].line), told)
    ours = chain.from_iterable(words for words in read if words not in foreign)
    for word in dict.fromkeys((word.text, word.line) for word in ours):
        if message := _judged(word[0], knows, named=word[0].casefold() in names):
            code = "roman-numeral" if "Roman" in message else "spelling"
            yield warning(code, issue.where(word[1]), message)


def own_words(office: Path | None) -> frozenset[str]:
    """
    The words of the office's dictionary, in small letters.

    Raises:
        AuthorError: The file is not UTF-8.

    """
    if office is None or not office.is_file():
        return frozenset()
    raw = office.read_bytes()
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        line = raw[: problem.start].count(b"\n") + 1
        raise AuthorError("the word is not UTF-8; save the file as UTF-8", office.name, line) from None
    return frozenset(line.partition("#")[0].strip().casefold() for line in lines) - {""}


def _words(passage: Passage) -> Iterator[_Word]:
    capitals = passage.in_capitals
    for found in _WORD.finditer(passage.text):
        text = found[0]
        before = passage.text[: found.start()]
        first = bool(_SENTENCE_END.search(before)) and not _TITLE.search(before)
        acronym = bool(_ACRONYM.fullmatch(text.removesuffix("s"))) and text.removesuffix("s").isupper()
        name = text[0].isupper() and not text.isupper() and (not first or passage.kind == "name")
        yield _Word(text, passage.line_at(found.start()), named=not capitals and (acronym or name))


def _is_foreign(words: Sequence[_Word], knows: Knows) -> bool:
    """Whether a passage is in another language, as what was copied and never translated is."""
    common = {word.text.lower() for word in words if not word.named}
    unknown = sum(not knows(text) for text in common)
    return unknown >= _FOREIGN and unknown * 2 >= len(common)


def _judged(text: str, knows: Knows, *, named: bool) -> str:
    """What is wrong with a word; nothing if it is known, a name, an acronym or a Roman numeral."""
    if len(text) == 1 or knows(text) or all(map(knows, re.split(r"[’'-]", text))):
        return ""
    if set(text) <= set("IVXLCDM"):
        return "" if _ROMAN.fullmatch(text) else _roman(text)
    # A name may well be two letters away from a word: Dubois, dubios.
    is_known = knows if text.islower() else lambda word: knows(word) or knows(word.capitalize())
    slip = next((other for other in _slips(text.lower(), swaps=not named) if is_known(other)), "")
    if named and (not slip or (text.isupper() and len(text) <= _SHORT)):
        return ""
    likely = chain(_sounding(text.lower()), _near(text.lower()))
    meant = slip or next((other for other in likely if is_known(other)), "")
    if not meant:
        return f'"{text}" is in no dictionary; mend it, or add it to dictionary.txt'
    return (
        f'"{text}" is in no dictionary; did you mean "{_cased(meant, text)}"? If it is right add it to dictionary.txt'
    )


def _roman(text: str) -> str:
    swapped = (text[:i] + text[i + 1] + text[i] + text[i + 2 :] for i in range(len(text) - 1))
    meant = next((other for other in swapped if _ROMAN.fullmatch(other)), "")
    return f'"{text}" is no Roman numeral' + (f'; did you mean "{meant}"?' if meant else "; mend it")


def _slips(text: str, *, swaps: bool) -> Iterator[str]:
    """What the hand meant: a lost accent, a letter doubled or not, two letters swapped."""
    for place, letter in enumerate(text):
        for accented in _ACCENTS.get(letter, ""):
            yield text[:place] + accented + text[place + 1 :]
    for place, letter in enumerate(text):
        yield text[:place] + letter + text[place:]
        if text[place : place + 2] == letter * 2:
            yield text[:place] + text[place + 1 :]
        if swaps and place + 1 < len(text):
            yield text[:place] + text[place + 1] + letter + text[place + 2 :]


def _sounding(text: str) -> Iterator[str]:
    """
    Words that sound the same.

    >>> "recibió" in _sounding("recivió"), "receive" in _sounding("recieve")
    (True, True)
    """
    for place, letter in enumerate(text):
        for alike in _SOUNDS:
            for other in alike if letter in alike else "":
                yield text[:place] + other + text[place + 1 :]
        yield text[:place] + "h" + text[place:]
        if letter == "h":
            yield text[:place] + text[place + 1 :]
        yield text[:place] + text[place + 1 : place + 2] + letter + text[place + 2 :]


def _near(text: str) -> Iterator[str]:
    """Every word one letter away."""
    for place in range(len(text) + 1):
        yield text[:place] + text[place + 1 :]
        for letter in _LETTERS:
            yield text[:place] + letter + text[place + 1 :]
            yield text[:place] + letter + text[place:]


def _cased(text: str, like: str) -> str:
    if like.isupper():
        return text.upper()
    return text.capitalize() if like[0].isupper() else text
