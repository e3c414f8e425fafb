"""Forms as they come: urlencoded or multipart, small, and of text alone."""

import re
from typing import Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

_MOST_FIELDS: Final = 40
_MOST_BYTES: Final = 16 * 1024
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


async def read(request: Request) -> FormData:
    """
    The fields of a posted form; one that can't be read is refused.

    Raises:
        HTTPException: 400, 408 or 413.

    """
    try:
        return await request.form(max_files=0, max_fields=_MOST_FIELDS, max_part_size=_MOST_BYTES)
    except HTTPException:
        raise
    except (ValueError, LookupError):  # an encoding that isn't one
        raise HTTPException(400) from None


def line(form: FormData, name: str, most: int = 200) -> str:
    r"""
    A field as one clean line: no control characters, no tricks with the direction of writing, cut at `most`.

    >>> line(FormData([("name", " Ana\r\nBcc: all ")]), "name")
    'Ana Bcc: all'
    """
    value = form.get(name, "")
    return " ".join(_BREAKS.sub(" ", value).split())[:most].strip() if isinstance(value, str) else ""


def lines(form: FormData, name: str) -> list[str]:
    """Every value of a field that may be ticked several times."""
    return [value for value in form.getlist(name) if isinstance(value, str)]
