"""Words compared as people compare them: without accents, case and punctuation."""

import re
import unicodedata


def fold(text: str) -> str:
    """
    The text without accents, case, punctuation and what stands in brackets.

    >>> fold("  CORREO  Electrónico (*): ")
    'correo electronico'
    """
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(re.sub(r"[\W_]+", " ", re.sub(r"[(\[].*?[)\]]", " ", bare.casefold())).split())
