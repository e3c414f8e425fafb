"""Which links of an edition are counted, and how they look where they lead another way."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.messages.trail import Link, Trail, led, links_of
from mailer.testing import an_edition

OURS = "https://brief.quito.example"
PAGE = f"""<body><a href="@@web_url@@">Web</a><h2 id="cop-27">COP</h2>
<p><a class="b" href="https://cop.example/a?x=1&amp;y=2" style="c">Leer <b>más</b></a> <a href="#jica">abajo</a>
<a href="https://shown.example/">www.shown.example</a> <a href="https://www.seen.example/x">en seen.example</a>
<a href="mailto:a@b.example">mail</a> <a href="tel:+593">tel</a> <a href="https://x.example/@@greeting@@">x</a></p>
<td id="jica"><a href="https://cop.example/a?x=1&amp;y=2"><img alt="JICA"></a><a href="{OURS}/brief/#jica">Más</a></td>
<div role="contentinfo"><a href="https://red.example/">Red</a> <a href="@@unsubscribe_url@@">Baja</a></div></body>"""
TEXT = f"""Leer más <https://cop.example/a?x=1&y=2> y https://shown.example/ y @@unsubscribe_url@@
[1] https://cop.example/a?x=1&y=2
[2] {OURS}/brief/#jica
"""
FOUND = (
    Link("cop-27", "https://cop.example/a?x=1&y=2"),
    Link("jica", "https://cop.example/a?x=1&y=2"),
    Link("jica", f"{OURS}/brief/#jica"),
    Link("", "https://red.example/"),
)


def a_trail(links=FOUND) -> Trail:
    """Every link by a way of its own."""
    return Trail({link: f"{OURS}/l/{number}" for number, link in enumerate(links, 1)}, f"{OURS}/l/trap")


def test_what_is_counted():
    """Links to the web, with the article they stand in; not the reader's own, nor those whose text shows an address."""
    assert links_of(an_edition(html=PAGE)) == FOUND


def test_html_leads_by_our_pages():
    """Each counted link is replaced in its place, says where it leads, and nothing else on the page has changed."""
    page = led(an_edition(html=PAGE), a_trail()).html
    hrefs = re.findall(r'href="([^"]*)"', page)
    assert hrefs == [
        *("@@web_url@@", f"{OURS}/l/1", "#jica", "https://shown.example/", "https://www.seen.example/x"),
        *("mailto:a@b.example", "tel:+593", "https://x.example/@@greeting@@", f"{OURS}/l/2", f"{OURS}/l/3"),
        *(f"{OURS}/l/4", "@@unsubscribe_url@@", f"{OURS}/l/trap"),
    ]
    assert '<a class="b" href="https://brief.quito.example/l/1" title="cop.example" style="c">' in page
    bare = re.sub(r'<a href="[^"]*" style="display:none.*?</a>', "", page)
    assert re.sub(r' title="[^"]*"|href="[^"]*"', "", bare) == re.sub(r'href="[^"]*"', "", PAGE)


def test_text_shows_where_it_leads():
    """In the text the same links lead the same way, and where one stands alone its site stands behind it."""
    assert led(an_edition(html=PAGE, text=TEXT), a_trail()).text == (
        f"Leer más <{OURS}/l/1> y https://shown.example/ y @@unsubscribe_url@@\n"
        f"[1] {OURS}/l/2 (cop.example)\n[2] {OURS}/l/3\n"
    )


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://a.example", "https://", "", "//a.example", "http://a b"])
def test_only_the_web_is_led_to(url):
    """An address that is no page on the web is never stored, so nobody is ever sent there."""
    assert links_of(an_edition(html=f'<body><a href="{url}">x</a></body>')) == ()


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_page_survives(html, text):
    """Whatever an edition holds, it is read without trouble, and without links it stays as it was."""
    edition = an_edition(html=html, text=text)
    assert links_of(edition) == () or "<a" in html.casefold()
    assert led(edition, Trail({}, "trap")).text == text
