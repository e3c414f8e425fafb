"""How an edition lies on paper: printed from the web edition, in its PDF and in the proof's."""

from typing import Final

# Columns that share their row stay whole; one alone may run over the page's end, which inline blocks don't.
_STYLE: Final = (
    "<style>@media print{@page{size:A4;margin:13mm 0 15mm}"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}"
    "html,body,.bd,.cd,.cd>table{background:#fff !important}.mj-column-per-100{display:block !important}"
    "h1,h2,h3{break-after:avoid}img,h1,h2,h3,.ba,.hd,.fd{break-inside:avoid}p,li{orphans:3;widows:3}"
    ".st{padding-top:40px !important}}</style></head>"
)


def printable(html: str) -> str:
    """
    The page with what paper needs.

    >>> printable("<head></head>").count("@media print")
    1
    """
    return html.replace("</head>", _STYLE, 1)
