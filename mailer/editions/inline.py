"""
From MJML's HTML to the HTML that goes out: CSS inlined by premailer, whitespace squeezed.

Nothing here opens a socket or a file: premailer would follow an `@import` even with its network switched off.
"""

import logging
import re
import sys
from types import ModuleType
from typing import Final

# premailer brings an HTTP client to fetch style sheets with. Here it never may, so it gets an empty one: what it would
# fetch fails, whatever its switches say, and a client that takes as long to load as all of premailer stays away.
_kept = sys.modules.get("requests")
sys.modules["requests"] = ModuleType("requests")
import cssutils  # noqa: E402
from premailer import Premailer  # noqa: E402

if _kept is None:
    del sys.modules["requests"]
else:
    sys.modules["requests"] = _kept

# premailer judges each declaration that it merges, whatever its switches say, and does nothing with the judgement.
# The judges are a grammar for each property there is, so they are sent home.
cssutils.profile.removeProfile(all=True)

_DOCTYPE: Final = re.compile(r"\A\s*<!doctype html>", re.IGNORECASE)
_STYLE: Final = re.compile(r"(<style\b)([^>]*>)(.*?)(</style>)", re.DOTALL)
_IMPORT: Final = re.compile(r"@import\b[^;]*;?", re.IGNORECASE)
_INLINE: Final = re.compile(r"\s*<mj-style\b[^>]*\binline=\"inline\"[^>]*>(.*?)</mj-style>", re.DOTALL)
# What gives every element an attribute beside its style: MJML has set those that matter.
_BESIDE: Final = ("bgcolor", "width", "height", "align", "valign")


def take_inline_styles(mjml: str) -> tuple[str, str]:
    """
    The MJML without its `<mj-style inline="inline">`, which mjml-python would not inline, and their CSS.

    >>> take_inline_styles('<mj-head><mj-style inline="inline">p { margin: 0 }</mj-style></mj-head>')
    ('<mj-head></mj-head>', 'p { margin: 0 }')
    """
    css = "\n".join(found[1] for found in _INLINE.finditer(mjml))
    return _INLINE.sub("", mjml), css.strip()


def inline(html: str, css: str) -> str:
    """
    The HTML with `css` in `style` attributes; its own `<style>` blocks stay blocks.

    The doctype is upper-cased first: premailer drops a lower-case one, and clients fall into quirks mode.
    """
    html = _DOCTYPE.sub("<!DOCTYPE html>", html)
    html = _STYLE.sub(lambda found: f'{found[1]} data-premailer="ignore"{found[2]}{_safe(found[3])}{found[4]}', html)
    finished: str = Premailer(
        html,
        css_text=_safe(css),
        keep_style_tags=True,
        strip_important=False,
        remove_classes=False,
        allow_network=False,
        allow_loading_external_files=False,
        disable_validation=True,
        preserve_internal_links=True,
        align_floating_images=False,
        remove_unset_properties=False,
        cache_css_parsing=True,
        cssutils_logging_level=logging.CRITICAL,
        disable_basic_attributes=list(_BESIDE),
    ).transform()
    return squeeze(finished.replace(' data-premailer="ignore"', ""))


def squeeze(html: str) -> str:
    r"""
    The HTML with runs of whitespace made one: a line break stays a line break, since nothing is preformatted.

    >>> squeeze("<style> a  { color: red; } </style>\n\n  <p>uno\n   dos  tres</p> \n")
    '<style>a{color:red}</style>\n<p>uno\ndos tres</p>\n'
    """
    html = _STYLE.sub(lambda found: f"{found[1]}{found[2]}{_squeeze_css(found[3])}{found[4]}", html)
    html = re.sub(r"[ \t\r\n]*\n[ \t\r\n]*", "\n", html)
    return re.sub(r"[ \t]{2,}", " ", html).strip() + "\n"


def _squeeze_css(css: str) -> str:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,]) ?", r"\1", css)
    return re.sub(r"(?<=[\w-]): (?=[^{}]*[;}])", ":", css).replace(";}", "}").strip()


def _safe(css: str) -> str:
    return _IMPORT.sub("", css)
