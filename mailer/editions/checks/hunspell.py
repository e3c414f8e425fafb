"""The system's Hunspell dictionaries, read by spylls."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

SYSTEM: Final = Path("/usr/share/hunspell")
SUFFIXES: Final = ("dic", "aff")
_PREFERRED: Final[dict[str, tuple[str, ...]]] = {"es": ("es_EC", "es_ES"), "en": ("en_US", "en_GB")}

Knows = Callable[[str], bool]


def installed(language: str, folder: Path = SYSTEM) -> Path | None:
    """The best dictionary of a language in a folder of Hunspell's, as a path without suffix; none if there is none."""
    others = sorted(path.stem for path in folder.glob(f"{language}_*.dic")) if folder.is_dir() else []
    for name in (*_PREFERRED.get(language, ()), *others, language):
        if all((folder / f"{name}.{suffix}").is_file() for suffix in SUFFIXES):
            return Path(folder, name)
    return None


@lru_cache(maxsize=4)
def dictionary(path: Path, _source: str) -> Knows:
    """
    Tell whether a word is in the dictionary at `path`, whose files bear the mark `_source`.

    Loading takes seconds, so it stays loaded until the files change.
    """
    from spylls.hunspell import readers
    from spylls.hunspell.dictionary import Dictionary
    from spylls.hunspell.readers.file_reader import FileReader

    class ClosingReader(FileReader):  # type: ignore[misc]  # spylls has no types
        """spylls leaves its files open, also the one that it opens again in another encoding."""

        def reset_io(self, obj: object) -> None:
            self.close()
            super().reset_io(obj)

        def close(self) -> None:
            if hasattr(self, "io"):
                self.io.close()

    rules = ClosingReader(f"{path}.aff")
    aff, context = readers.read_aff(rules)
    words = ClosingReader(f"{path}.dic", encoding=context.encoding)
    lookup = Dictionary(aff, readers.read_dic(words, aff=aff, context=context)).lookup
    rules.close()
    words.close()
    # An issue is checked again after every save, and most of its words are the same.
    return lru_cache(maxsize=1 << 15)(lambda word: bool(lookup(word)))
