"""Faults in MJML are found before mjml-python swallows them, and told with their place."""

import pytest

from mailer.editions.mjml_lint import lint
from mailer.errors import AuthorError


def page(inside: str) -> str:
    return f"<mjml><mj-body><mj-section><mj-column>{inside}</mj-column></mj-section></mj-body></mjml>"


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ("<mj-texto>x</mj-texto>", 'no MJML element; did you mean "mj-text"'),
        ('<mj-text colour="red">x</mj-text>', 'no attribute colour; did you mean "color"'),
        ('<mj-text color="red" color="blue">x</mj-text>', "twice"),
        ("<mj-text color>x</mj-text>", "has no value"),
        ("<mj-text color=red>x</mj-text>", "no complete tag"),
        ("<mj-text><p>x</mj-text>", "<p> is closed by </mj-text>"),
        ("<mj-text><ul><li>x</ul></mj-text>", "<li> is closed by </ul>"),
        ("<mj-text>x", "<mj-text> is closed by </mj-column>"),
        ("<p>x</p>", "<p> is HTML"),
        ("<mj-section></mj-section>", "stands in mj-column"),
        ("<mj-text><mj-image /></mj-text>", "stands in mj-text"),
        ("<mj-text><![CDATA[x]]></mj-text>", "CDATA"),
        ("<mj-text>1 < 2</mj-text>", "no complete tag"),
    ],
)
def test_fault_is_told(inside, told):
    """Unknown, misplaced, unbalanced and unquoted: each has its sentence."""
    with pytest.raises(AuthorError) as caught:
        lint(page(inside))
    assert told in caught.value.message


def test_unclosed_document_is_told():
    """What is never closed is named."""
    with pytest.raises(AuthorError, match="<mj-body> is never closed"):
        lint("<mjml><mj-body>")


def test_marks_tell_template_and_line():
    """The place is the template's when the MJML says where it was written."""
    with pytest.raises(AuthorError) as caught:
        lint(page("\n<!--@templates/brief/components/lead.mjml:12--><mj-text colour='red'>x</mj-text>"))
    assert caught.value.where == "templates/brief/components/lead.mjml:12"


def test_without_marks_the_generated_line_is_told():
    """Failing a mark, the line of the generated MJML is named."""
    with pytest.raises(AuthorError) as caught:
        lint(page("\n\n<mj-tex>x</mj-tex>"))
    assert caught.value.where == "generated.mjml:3"


@pytest.mark.parametrize(
    "inside",
    [
        '<mj-text css-class="a" mj-class="b">x<br>y<br/><img src="a" alt="a > b"></mj-text>',
        "<!-- <mj-nonsense> --><mj-spacer height='1px'/>",
        "<mj-raw><!--[if mso]><table><tr><td><![endif]-->x<!--[if mso]></td></tr></table><![endif]--></mj-raw>",
        '<mj-button href="https://a.example/?a=1&amp;b=2">Ir</mj-button>',
    ],
)
def test_sound_mjml_passes(inside):
    """What is right is let through: void elements, comments, conditionals for Outlook."""
    lint(page(inside))
