"""The ways to look at an edition: as its reader gets it, in the dark, without pictures, as text, as source."""

import html
import re
from collections.abc import Mapping
from typing import Final

from mailer.editions.edition import SLOT, Edition, Imprint
from mailer.web.speech import marked

VIEWS: Final[Mapping[str, str]] = {
    "desktop": marked("Escritorio"),
    "phone": marked("Teléfono"),
    "dark": marked("Oscuro"),
    "forced-dark": marked("Oscuro forzado"),
    "images-off": marked("Sin imágenes"),
    "text": marked("Texto"),
    "source": marked("Código"),
}
_SCHEME: Final = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
# What clients do that invert by themselves: every colour turned round, pictures turned back.
_INVERTED: Final = (
    "<style>html{filter:invert(1) hue-rotate(180deg);background:#fff}"
    "img,video{filter:invert(1) hue-rotate(180deg)}</style>"
)
_PLAIN: Final = (
    "<!DOCTYPE html><html lang='{language}'><meta charset='utf-8'><title>{title}</title>"
    "<link rel='stylesheet' href='/theme.css'><style>body{{margin:0;background:var(--card);color:var(--ink)}}"
    "pre{{margin:0;padding:32px;font:14px/1.6 ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;{wrap}}}"
    "</style><pre>{text}</pre></html>"
)


def seen(edition: Edition, view: str, values: Mapping[str, str], imprint: Imprint) -> str:
    """A page that shows the edition in one of `VIEWS`, its slots filled."""
    if view == "text":
        text = SLOT.sub(lambda slot: values[slot[1]], edition.text)
        return _page(edition, text, wrap="white-space:pre-wrap")
    if view == "source":
        return _page(edition, edition.mjml, wrap="white-space:pre")
    local = edition.html.replace(f"{imprint.public_url.rstrip('/')}/images/", "/images/")
    filled = SLOT.sub(lambda slot: html.escape(values[slot[1]]), local)
    shown = in_scheme(filled, "dark" if view == "dark" else "light")
    return shown.replace("</head>", f"{_INVERTED}</head>", 1) if view == "forced-dark" else shown


def in_scheme(page: str, scheme: str) -> str:
    """
    The page as a reader of that colour scheme gets it, whatever the scheme of this machine is.

    >>> in_scheme("@media (prefers-color-scheme:dark){a{color:red}}", "dark")
    '@media (min-width:0px){a{color:red}}'
    >>> in_scheme("@media (prefers-color-scheme: dark){a{color:red}}", "light")
    '@media (max-width:0px){a{color:red}}'
    """
    told = _SCHEME.sub(lambda found: "(min-width:0px)" if found[1] == scheme else "(max-width:0px)", page)
    return told.replace("</head>", f"<style>:root{{color-scheme:{scheme}}}</style></head>", 1)


def _page(edition: Edition, text: str, *, wrap: str) -> str:
    return _PLAIN.format(
        language=edition.language, title=html.escape(edition.subject), text=html.escape(text), wrap=wrap
    )
