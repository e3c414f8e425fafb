"""
Columns that hold where media queries don't.

MJML's columns are as wide as the screen until a media query narrows them, so programs that ignore those (Outlook on the
web and the new Outlook, Gmail with accounts of other providers) stack them on any screen. A widest width on each lets
them stand side by side where there is room, and stack where there is none.
"""

import re
from typing import Final

# mjml-python tells old Outlook each column's width in pixels, right before the column.
_COLUMN: Final = re.compile(
    r"(width:(\d+(?:\.\d+)?)px;\">\s*<!\[endif\]-->\s*<div\b[^>]*class=\"[^\"]*mj-outlook-group-fix[^\"]*\"[^>]*?;)width:100%"
)
_FULL: Final = re.compile(r"mj-column-(?:per-100|px-\d+)\b")
_FREED: Final = "<style>@media only screen{.mj-outlook-group-fix{max-width:none !important}}</style>\n</head>"


def hold_columns(html: str) -> str:
    """The HTML with a widest width on every column that shares its row; media queries, where honoured, lift it."""
    held = _COLUMN.sub(lambda found: found[0] if _FULL.search(found[1]) else f"{found[0]};max-width:{found[2]}px", html)
    return html if held == html else held.replace("</head>", _FREED, 1)
