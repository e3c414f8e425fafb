"""Markdown to safe HTML and to plain text."""

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mjml import mjml2html

from mailer.issues.markdown import links, to_html, to_text

MJML = "<mjml><mj-body><mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section></mj-body></mjml>"
TYPED = st.text(alphabet=st.sampled_from("ab *_-<>&/\"'[]()\n\t1.#`!:h"), max_size=100)


def test_html_is_shown_as_typed():
    """Raw HTML is text, not markup."""
    assert to_html("a <script>x</script>") == "<p>a &lt;script&gt;x&lt;/script&gt;</p>"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x"])
def test_dangerous_links_lead_nowhere(url):
    """Only web, mail and telephone addresses survive, in HTML and in text."""
    assert url not in to_html(f"[x]({url})")
    assert url not in to_text(f"[x]({url})")


def test_a_paragraph_that_begins_with_a_tab_is_no_code():
    """Officers indent first lines; that is still a paragraph."""
    assert to_html("\tHola") == "<p>Hola</p>"
    assert to_html("Hola\n---") in {"<p>Hola</p>\n<hr />", "<p>Hola\n---</p>"}


def test_text_keeps_lists_quotations_and_addresses():
    """The plain text reads like a letter."""
    text = to_text("Lea *esto*:\n\n1. [uno](https://a.example/x)\n2. dos\n\n> cita\n\n[Leer](#)")
    assert text == "Lea esto:\n\n1. uno <https://a.example/x>\n2. dos\n\n> cita\n\nLeer"


def test_text_is_wrapped_and_addresses_are_whole():
    """No line is longer than 72 but for an address, which isn't broken."""
    url = "https://a.example/" + "x" * 90
    lines = to_text(f"{'palabra ' * 40}[aquí]({url})").splitlines()
    assert all(len(line) <= 72 for line in lines if url not in line)
    assert any(url in line for line in lines)


def test_a_table_has_headings_in_html_and_columns_in_text():
    """Cells know what heads them, figures keep to the right; a table too wide for a letter is told cell by cell."""
    table = "| Indicador | 2026 |\n| --- | ---: |\n| Misiones | 27 |"
    assert '<th scope="col" align="right">2026</th>' in to_html(table)
    assert to_text(table) == "Indicador  2026\n---------  ----\nMisiones     27"
    assert to_text(table, width=12) == "Indicador: Misiones\n2026: 27"


def test_a_note_stands_below_without_a_name_that_could_occur_twice():
    """The number is raised at both ends, and no id is made of it."""
    body = "Más misiones.[^a]\n\n[^a]: Hasta el *15*."
    assert to_html(body) == '<p>Más misiones.<sup>1</sup></p>\n<p class="fn"><sup>1</sup> Hasta el <em>15</em>.</p>'
    assert to_text(body) == "Más misiones.¹\n\n¹ Hasta el 15."


def test_an_address_written_out_is_a_link():
    """In HTML it can be pressed; in text it stands once."""
    assert to_html("Ver https://a.example/x?y=1.") == (
        '<p>Ver <a href="https://a.example/x?y=1">https://a.example/x?y=1</a>.</p>'
    )
    assert to_text("Ver https://a.example/x") == "Ver https://a.example/x"


def test_links_are_listed():
    """The links of a body in order, with what is read."""
    assert links("[a](https://a.example) y **[b](#)**") == [("a", "https://a.example"), ("b", "#")]


@given(TYPED)
def test_every_body_is_accepted_by_mjml_and_is_clean_already(text):
    """Whatever is typed becomes HTML that the MJML compiler takes and that needs no more cleaning."""
    made = to_html(text)
    mjml2html(MJML.format(made))
    assert "<script" not in nh3.clean(made)


@given(TYPED)
def test_plain_text_never_fails(text):
    """Whatever is typed becomes plain text."""
    assert isinstance(to_text(text), str)
