"""HTML, accessibility and deliverability: what is found in an edition as it goes out."""

from datetime import date
from pathlib import Path

import pytest

from mailer import chromium
from mailer.editions.checks.accessibility import accessibility
from mailer.editions.checks.axe import barriers, judged_by_axe
from mailer.editions.checks.circumstances import Sending
from mailer.editions.checks.deliverability import alignment, deliverability, spam_score
from mailer.editions.checks.html import features, html
from mailer.editions.edition import Image
from mailer.issues.issue import Article, Issue, Section
from mailer.testing import an_edition

ARTICLE = Article(id="metro", title="El metro", body="Un texto.", line=20)
ISSUE = Issue(
    name="2026-12",
    folder=Path("issues/2026-12"),
    language="es",
    title="Brief",
    month=date(2026, 12, 1),
    number=12,
    subject="Asunto",
    preheader="Entrada",
    sections=(Section("s", "Sección", "", 10, articles=(ARTICLE,)),),
)
PLAIN = '<html lang="es"><body><table role="presentation"><tr><td><p>x</p></td></tr></table></body></html>'
MESSAGE = (
    b"List-Unsubscribe: <https://quito.example/u/1>, <mailto:u@quito.example>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nx"
)


def page(body, head=""):
    return f'<html lang="es"><head>{head}</head><body>{body}</body></html>'


def codes(remarks):
    return [remark.finding.code for remark in remarks]


def sending(**given):
    plausible = {
        "public_url": "https://quito.example",
        "message": lambda _: MESSAGE,
    }
    return Sending(**plausible | given)


SUPPORT = [
    ("<div style='display:flex'>x</div>", "display: flex"),
    ("<div style='DISPLAY : grid'>x</div>", "display: grid"),
    ("<p style='position:absolute'>x</p>", "position"),
    ("<p style='background:#fff url(a.png)'>x</p>", "background-image"),
    ("<video src='a'></video>", "<video>"),
    ("<svg></svg>", "<svg>"),
    ("<form></form>", "<form>"),
    ("<img src='https://a.example/b.WEBP' alt=''>", "WebP"),
]


@pytest.mark.parametrize(("body", "name"), SUPPORT)
def test_what_much_used_programs_do_not_show_is_told(body, name):
    """The feature is named with the programs that lack it, the date of the test and the source."""
    (remark,) = html(ISSUE, an_edition(html=page(body)), PLAIN)
    assert remark.finding.code == "html-support"
    assert remark.finding.message.startswith(name)
    assert "caniemail.com" in remark.finding.message
    assert not remark.blocks


def test_what_the_template_does_itself_is_not_told():
    """The check speaks of what the content brings: the rest is the template's decision."""
    same = page("<div style='display:flex'>x</div>")
    assert list(html(ISSUE, an_edition(html=same), same)) == []


def test_properties_that_only_look_alike_are_not_taken_for_it():
    """`background-position` is no `position`, and Outlook's own conditional parts are not read."""
    body = "<p style='background-position:top;border-image:none'>x</p><!--[if mso]><video></video><![endif]-->"
    assert list(html(ISSUE, an_edition(html=page(body)), PLAIN)) == []


def test_ids_twice_block_and_deep_tables_are_told():
    """Links to a doubled id are ambiguous; tables deeper than the template's own are told."""
    deep = "<table><tr><td><table><tr><td>x</td></tr></table></td></tr></table>"
    found = codes(html(ISSUE, an_edition(html=page(f"<p id='a'></p><p id='a'></p>{deep}")), PLAIN))
    assert found == ["html-duplicate-id", "html-nesting"]


def test_every_fact_has_its_source_and_finds_by_one_thing():
    """Each fact about mail programs names its source, and is found by CSS, an element or a picture, by one of them."""
    for feature in features():
        assert feature.source.startswith("https://www.caniemail.com/features/")
        assert feature.missing
        assert bool(feature.css) + bool(feature.element) + bool(feature.image) == 1


ACCESS = [
    ("<html><body><p>x</p></body></html>", ["accessible-language"]),
    (page("<img src='a.png'>"), ["accessible-alt"]),
    (page("<img src='a.png' alt=''>"), []),
    (page("<table><tr><td>x</td></tr></table>"), ["accessible-table"]),
    (page("<table><tr><th>x</th></tr></table>"), []),
    (page("<h1>a</h1><h3>b</h3>"), ["accessible-headings"]),
    (page("<h2>a</h2>"), ["accessible-headings"]),
    (page("<h1>a</h1><h2>b</h2><h3>c</h3><h2>d</h2>"), []),
]


@pytest.mark.parametrize(("source", "expected"), ACCESS)
def test_what_a_screen_reader_stumbles_over(source, expected):
    """Language, alt attributes, table roles and heading levels are judged without a browser."""
    assert codes(accessibility(ISSUE, an_edition(html=source))) == expected


def test_a_finding_in_the_html_points_at_its_article():
    """What stands behind an article's id is told with the article's line."""
    source = page("<h1>x</h1><h2 id='metro'>El metro</h2><img src='a.png'>")
    (remark,) = accessibility(ISSUE, an_edition(html=source))
    assert remark.finding.where == "issues/2026-12/issue.md:20"


def test_a_message_that_can_be_left_by_one_click_passes():
    """Text and HTML in step, https, both headers: nothing to say."""
    assert list(deliverability(ISSUE, an_edition(text="EL METRO\n\nUn texto."), sending())) == []


def test_unsubscription_over_http_is_told_and_none_at_all_blocks():
    """One click works over https only."""
    edition = an_edition(text="El metro")
    insecure = sending(message=lambda _: MESSAGE.replace(b"https:", b"http:"))
    (remark,) = deliverability(ISSUE, edition, insecure)
    assert (remark.finding.code, remark.blocks) == ("unsubscribe-header", False)
    (remark,) = deliverability(ISSUE, edition, sending(message=lambda _: b"Subject: x\r\n\r\nx"))
    assert (remark.finding.code, remark.blocks) == ("unsubscribe-header", True)


def test_a_text_part_without_an_article_blocks_and_much_picture_is_told():
    """Readers without HTML must get every article; filters dislike pictures with few words."""
    images = tuple(Image(f"{name}.png", "image/png", 1, 1, b"") for name in "abcdef")
    found = list(deliverability(ISSUE, an_edition(text="nada", images=images), sending()))
    assert [(each.finding.code, each.blocks) for each in found] == [("text-part", True), ("image-heavy", False)]
    assert found[0].finding.where.endswith(":20")


def test_domains_of_two_organisations_block():
    """What DMARC would refuse is told as it was found."""
    assert codes(alignment(ISSUE, sending(misaligned="the bounce domain is a stranger's"))) == ["sender-alignment"]
    assert codes(alignment(ISSUE, sending())) == []


def test_spamassassin_is_asked_where_it_is_installed(tmp_path, monkeypatch):
    """A score above half of what is refused is told with its rules; a program that isn't there says nothing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(spam_score(ISSUE, an_edition(), sending())) == []
    program = tmp_path / "spamassassin"
    program.write_text(
        "#!/bin/sh\necho 'X-Spam-Status: Yes, score=5.4 required=5.0 tests=HTML_MESSAGE,'\n"
        "echo '\tMISSING_DATE autolearn=no'\necho ' 1.4 MISSING_DATE           Missing Date: header'\n"
    )
    program.chmod(0o755)
    (remark,) = spam_score(ISSUE, an_edition(), sending())
    assert "5.4 points, and at 5.0 it is spam" in remark.finding.message
    assert remark.finding.message.endswith("mend what costs most: 1.4 Missing Date: header (MISSING_DATE)")


def test_tags_that_do_not_match_are_told():
    """A template that closes what it never opened is found before mail programs guess what was meant."""
    edition = an_edition(html=page("<div><h1>x</h2></div>"))
    assert "html-tags" in codes(html(ISSUE, edition, PLAIN))


def test_a_line_that_servers_cut_is_told():
    """A message with a line of more than 998 octets, which RFC 5322 forbids, is an error."""
    content = MESSAGE + b"\r\n" + b"y" * 999
    assert "html-lines" in codes(deliverability(ISSUE, an_edition(), sending(message=lambda _: content)))


@pytest.mark.browser
@pytest.mark.skipif(chromium.browser() is None, reason="chromium is not installed")
def test_axe_judges_in_a_browser():
    """What only a browser can tell, colours too close for reading, is found with the article that it is in."""
    pale = '<main><h1 id="metro">El metro</h1><p style="color:#ccc;background:#fff">pálido</p></main>'
    made = an_edition(html=page(pale, "<title>x</title>"))
    (found,) = judged_by_axe(ISSUE, made, lambda edition: barriers(edition.html, chromium.finished))
    assert (found.finding.code, found.finding.where) == ("accessible-axe", "issues/2026-12/issue.md:20")
    assert "color-contrast" in found.finding.message
