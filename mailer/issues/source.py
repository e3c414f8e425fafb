"""The text of one file of an issue: decoded, in lines that keep their numbers, with errors that name the place."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mailer.errors import AuthorError

_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
MOST_BYTES: Final = 2_000_000


class Source:
    """
    The lines of a file. Line 1 is `lines[0]`; a byte-order mark, CRLF and comments are gone.

    What is wrong with one of them is kept among the `faults`, and reading goes on without it: an author wants to hear
    of all that is to be mended, not of the first thing.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.lines = text.split("\n")
        self.faults: list[AuthorError] = []

    @classmethod
    def load(cls, path: Path) -> "Source":
        """
        Read the file at `path`.

        Raises:
            AuthorError: It isn't UTF-8, or holds what no text should.

        """
        name = f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
        try:
            raw = path.read_bytes()
        except OSError as problem:
            raise AuthorError(f"the file can't be read ({problem.strerror}); mend its path or rights", name) from None
        if len(raw) > MOST_BYTES:
            raise AuthorError("the file is larger than 2 MB; it holds something other than the text of an issue", name)
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            line = raw[: problem.start].count(b"\n") + 1
            raise AuthorError("the file is not UTF-8 from here on; save it as UTF-8", name, line) from None
        return cls(_without_comments(_plain(text, name), name), name)

    def wrong(self, line: int, message: str) -> AuthorError:
        """The error to raise for what is wrong on `line`."""
        return AuthorError(message, self.name, line)

    def fault(self, line: int, message: str) -> None:
        """Keep what is wrong on `line`, and go on."""
        self.faults.append(self.wrong(line, message))

    @contextmanager
    def forgiving(self) -> Iterator[None]:
        """Keep the error that is raised inside, and go on behind."""
        try:
            yield
        except AuthorError as fault:
            self.faults.append(fault)


def _plain(text: str, name: str) -> str:
    # Accents are composed: macOS writes "á" as two characters, which neither dictionaries nor old mail clients like.
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n"))
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise AuthorError("the line holds an invisible control character; type the line anew", name, line)
    return text


def _without_comments(text: str, name: str) -> str:
    """Blank out `<!-- … -->`, keeping the line breaks inside so that every line keeps its number."""
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    if (start := text.find("<!--")) >= 0:
        raise AuthorError("the comment is not closed; write --> at its end", name, text.count("\n", 0, start) + 1)
    return text
