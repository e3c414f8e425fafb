"""What stands alone on a line: an article's picture and its button."""

import re
import unicodedata
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from mailer.issues.issue import Button, Picture
from mailer.issues.source import Source
from mailer.suggest import near

_PICTURE: Final = re.compile(r"!\[(?P<alt>.*)\]\(\s*<?(?P<path>[^<>]*?)>?\s*\)")
_LINK: Final = re.compile(r'\[(?P<label>[^\[\]]*)\]\(\s*<?(?P<url>[^\s<>]*)>?(?:\s+"[^"]*")?\s*\)')
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_SCHEMES: Final = ("http", "https", "mailto", "tel")
_LIKENESS: Final = 0.8  # a folder and a suffix alone make names half alike
_SHOWN: Final = 6
_EXAMPLE: Final = "write ![what the picture shows](images/name.jpg)"


def _choice(there: list[str]) -> str:
    """What there is to choose from, if that can be said in a line."""
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    return f"there {'is' if len(there) == 1 else 'are'} {', '.join(there[:_SHOWN])}{more}" if there else ""


def is_picture(text: str) -> bool:
    """Whether the line is meant to hold a picture and nothing else."""
    return text.lstrip().startswith("![")


def is_button(text: str) -> bool:
    """Whether the line holds a link and nothing else."""
    return bool(_LINK.fullmatch(text.strip()))


def read_picture(text: str, source: Source, line: int, folder: Path) -> Picture:
    """
    The picture that the line holds; that it has no alt text is a fault.

    Raises:
        AuthorError: It isn't there, or isn't in the issue's folder.

    """
    found = _PICTURE.fullmatch(text.strip())
    if not found:
        raise source.wrong(line, f"the picture must stand alone on its line; {_EXAMPLE}")
    alt, path = " ".join(found["alt"].split()), found["path"].strip().replace("\\", "/")
    if not path:
        raise source.wrong(line, f"the picture names no file; {_EXAMPLE}")
    if not alt:
        source.fault(line, f"the picture has no alt text, which stands in for it when pictures are off; {_EXAMPLE}")
    return Picture(path=_on_disk(path, source, line, folder), alt=alt, line=line)


def _on_disk(path: str, source: Source, line: int, folder: Path) -> str:
    inside = f"save the picture in {folder.name}/images and write its path as in images/name.jpg"
    if path.startswith("/") or _SCHEME.match(path) or ".." in path.split("/"):
        raise source.wrong(line, f'the picture "{path}" does not lie in the issue\'s folder; {inside}')
    # macOS may have stored the accents of a name in two parts; an address may have been pasted with %20 for a space.
    for name in dict.fromkeys([path, unquote(path), unicodedata.normalize("NFD", path)]):
        try:
            real = (folder / name).resolve()
            exists = real.is_file()
        except (OSError, ValueError):  # a name too long, a zero byte
            continue
        if not real.is_relative_to(folder.resolve()):
            raise source.wrong(line, f'the picture "{path}" leads out of the issue\'s folder; {inside}')
        if exists:
            return name
    there = sorted(str(file.relative_to(folder)) for file in folder.glob("images/*") if file.is_file())
    hint = f'did you mean "{like[0]}"?' if (like := near(path, there, _LIKENESS)) else _choice(there) or inside
    raise source.wrong(line, f'there is no picture "{path}"; {hint}')


def read_button(text: str, source: Source, line: int) -> Button:
    """
    The button that the line holds: `[Leer más](https://…)`.

    Raises:
        AuthorError: It has no label, or its address is of a kind that mail programs don't open.

    """
    found = _LINK.fullmatch(text.strip())
    assert found, "asked with is_button before"
    label, url = " ".join(found["label"].split()), found["url"]
    if not label:
        raise source.wrong(line, "the button has no label; write [Leer más](https://…)")
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() not in _SCHEMES:
        raise source.wrong(line, f'a button can\'t lead to "{scheme[0]}…"; write an address that begins with https://')
    return Button(label=label, url=url, line=line)
