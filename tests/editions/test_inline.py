"""Inlining keeps what clients need and reads nothing from elsewhere."""

import pytest

from mailer.editions.inline import inline, squeeze, take_inline_styles

PAGE = (
    '<!doctype html><html><head><style media="screen">'
    "@media (max-width:9px) { p { color: red !important; } }</style></head>"
    "<body><!--[if mso]><table><tr><td><![endif]-->"
    '<p class="x">Hola <b>tú</b>, <a href="@@web_url@@">aquí</a></p></body></html>'
)


def test_css_is_inlined_and_blocks_stay():
    """Rules go into style attributes; the document's own blocks, classes, slots and conditionals stay."""
    html = inline(PAGE, ".x { margin: 0 }")
    assert '<p class="x" style="margin:0">' in html
    assert "@media (max-width:9px){p{color:red !important}}" in html
    assert 'href="@@web_url@@"' in html
    assert "<!--[if mso]><table><tr><td><![endif]-->" in html


def test_doctype_survives():
    """Without a doctype clients fall into quirks mode."""
    assert inline(PAGE, "").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1:9/a.css"])
def test_imports_are_stripped(url):
    """An `@import` is never followed, wherever it stands."""
    html = inline(PAGE.replace("@media", f'@import "{url}"; @media'), f"@import url({url}); .x {{ margin: 0 }}")
    assert "@import" not in html
    assert 'style="margin:0"' in html


def test_inline_styles_are_taken_out_of_the_mjml():
    """mjml-python would leave them as ordinary blocks."""
    mjml, css = take_inline_styles(
        '<mj-head><mj-style>a{}</mj-style><mj-style inline="inline">b{}</mj-style></mj-head>'
    )
    assert (mjml, css) == ("<mj-head><mj-style>a{}</mj-style></mj-head>", "b{}")


def test_squeezing_keeps_words_apart():
    """A line break between words stays whitespace."""
    assert squeeze("<p>uno\n    <b>dos</b>   tres</p>") == "<p>uno\n<b>dos</b> tres</p>\n"
