"""Spanish verbs with their pronouns, which dictionaries know of a few alone: "síganos", "consúltelo", "inscríbase"."""

import re
from typing import Final

from mailer.editions.checks.hunspell import Knows

_PRONOUNS: Final = re.compile(r"(?<=.{3})(?:(?:[mts]e|nos)?l[aeo]s?|[mts]e|nos)$")
_ENDS_AS_VERBS_DO: Final = re.compile(r"(?:[ae]n?|ndo|[aei]r)$")
_PLAIN: Final = str.maketrans("áéíóú", "aeiou")


def is_verb_with_pronoun(text: str, knows: Knows) -> bool:
    """
    Whether a word is an imperative, an infinitive or a gerund that is known, with its pronoun and accent.

    >>> words = {"siga", "inscriba", "haciendo", "hacer"}.__contains__
    >>> [is_verb_with_pronoun(text, words) for text in ("Síganos", "inscríbase", "haciéndolo", "hacerlo", "hacérselo")]
    [True, True, True, True, True]
    >>> [is_verb_with_pronoun(text, words) for text in ("Siganos", "inscribase", "siga", "Mátelo")]
    [False, False, False, False]
    """
    lower = text.lower()
    found = _PRONOUNS.search(lower)
    if not found:
        return False
    verb = lower[: found.start()]
    plain = verb.translate(_PLAIN)
    needs_no_accent = plain.endswith("r") and len(found[0]) <= len("nos")
    return (plain != verb or needs_no_accent) and bool(_ENDS_AS_VERBS_DO.search(plain)) and knows(plain)
