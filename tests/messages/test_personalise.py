"""A stencil and a recipient become a message."""

import html
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.editions.edition import Image
from mailer.errors import AuthorError
from mailer.messages.headers import Unwritable
from mailer.messages.letterhead import message_id, read_reference
from mailer.messages.personalise import personalise, personalise_test
from mailer.messages.stencil import cut, cut_test
from mailer.testing import a_letterhead, a_recipient, an_edition
from mailer.tokens import InvalidToken, Signer

DATE = datetime(2022, 11, 30, 14, tzinfo=UTC)
SIGNER = Signer(["a secret"])
ONCE = (
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
)
_ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=120)


def greet(recipient):
    return f"Estimada {recipient.name}"


def write(recipient=None, edition=None, **given):
    stencil = cut(edition or an_edition(), a_letterhead(**given), campaign=3, date=DATE)
    return personalise(stencil, recipient or a_recipient(42), signer=SIGNER, greet=greet)


def read(message):
    return message_from_bytes(message.content, policy=default)


def test_a_message_is_sound():
    """It parses without defects, has each header once, and text before HTML."""
    parsed = read(write())
    assert [part.defects for part in parsed.walk()] == [[], [], []]
    assert all(not value.defects for value in parsed.values())
    assert [len(parsed.get_all(name)) for name in ONCE] == [1] * len(ONCE)
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert parsed["List-Id"] == "Brief Internacional <brief.relaciones.quito.example>"
    assert parsed["Content-Language"] == "es"
    assert parsed["Precedence"] is None
    assert parsed["Auto-Submitted"] is None


@settings(max_examples=60)
@given(greeting=_ANY, institution=_ANY, name=_ANY, body=_ANY)
def test_any_unicode_in_any_slot_arrives(greeting, institution, name, body):
    """Whatever stands in a slot or around it is what the standard library reads out of the message."""
    edition = an_edition(
        text=f"{body}@@greeting@@{body}\n@@institution@@", html=f"<p>@@greeting@@</p>{body}<b title='@@institution@@'>"
    )
    recipient = a_recipient(institution=institution, name=name)
    stencil = cut(edition, a_letterhead(), campaign=3, date=DATE)
    message = personalise(stencil, recipient, signer=SIGNER, greet=lambda _: greeting)
    text, page = (part.get_payload(decode=True).decode() for part in read(message).iter_parts())
    assert text.replace("\r\n", "\n") == f"{body}{greeting}{body}\n{institution}"
    assert page == f"<p>{html.escape(greeting)}</p>{body}<b title='{html.escape(institution)}'>"
    lines = message.content.split(b"\r\n")
    assert max(map(len, lines)) <= 120  # a URL in a header is not folded
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert message.content.isascii()
    assert message.content.count(b"\n") == message.content.count(b"\r\n") == message.content.count(b"\r")


@pytest.mark.parametrize("evil", ["a\r\nb", "a\nb", "\0", "\ud83c"])
def test_a_line_break_in_a_slot_is_refused(evil):
    """A value with a line break, a NUL or half a character makes no message."""
    for recipient in (a_recipient(institution=evil), a_recipient(name=evil), a_recipient(email=f"a@b.example{evil}")):
        with pytest.raises(Unwritable):
            write(recipient)


def test_html_is_escaped_in_html_alone():
    """A name with markup is harmless in the HTML part and plain in the text part."""
    parsed = read(write(a_recipient(institution='"><script>')))
    assert "&quot;&gt;&lt;script&gt;" in parsed.get_body(("html",)).get_content()
    assert '"><script>' in parsed.get_body(("plain",)).get_content()


def test_the_same_message_twice_is_the_same_to_the_byte():
    """A second copy, made later, differs in nothing."""
    assert write() == write()


def test_tokens_name_the_delivery_and_nothing_else():
    """Links and the envelope sender read back to campaign and subscriber, each for its own purpose alone."""
    message = write()
    text = read(message).get_body(("plain",)).get_content()
    leave = text.partition("/u/")[2].split()[0]
    choose = text.partition("/p/")[2].split()[0]
    bounce = message.sender.removeprefix("b+").partition("@")[0]
    assert message.sender.endswith("@rebotes.quito.example")
    assert len(bounce) + 2 <= 64
    for purpose, token in (("unsubscribe", leave), ("preferences", choose), ("bounce", bounce)):
        assert read_reference(SIGNER.read(purpose, token)) == (3, 42)
    with pytest.raises(InvalidToken):
        SIGNER.read("preferences", leave)
    assert "alcaldia42" not in text
    assert read(message)["List-Unsubscribe"] == (
        f"<https://brief.quito.example/u/{leave}>, <mailto:u+{leave}@rebotes.quito.example>"
    )


def test_the_message_id_can_be_known_before():
    """The Message-ID that is frozen with the campaign is the one that the message bears."""
    expected = message_id(a_letterhead(), SIGNER, 3, 42)
    message = write()
    assert message.message_id == expected == read(message)["Message-ID"]
    assert message_id(a_letterhead(), SIGNER, 3, 43) != expected


def test_without_a_bounce_domain_bounces_go_to_the_sender():
    """The From address is the envelope sender, and leaving by mail goes to Reply-To."""
    message = write(bounce_domain="")
    assert message.sender == "brief@relaciones.quito.example"
    assert "<mailto:relaciones@quito.example?subject=unsubscribe%20" in read(message)["List-Unsubscribe"]


def test_the_web_edition_is_the_same_link_for_all():
    """A forwarded link to the web edition unmasks nobody."""
    first, second = write(a_recipient(1)), write(a_recipient(2))
    url = "https://brief.quito.example/brief/2022-11/gads/es"
    assert url in read(first).get_body(("plain",)).get_content()
    assert url in read(second).get_body(("plain",)).get_content()


def test_an_unknown_slot_is_the_authors_to_mend():
    """A slot that nobody fills stops the edition, by name."""
    with pytest.raises(AuthorError, match="@@apodo@@"):
        write(edition=an_edition(html="<p>@@apodo@@</p>"))


def test_an_address_outside_ascii_keeps_its_local_part():
    """The domain is ASCII on the envelope; the local part needs SMTPUTF8, and the header is in UTF-8 (RFC 6532)."""
    assert write(a_recipient(email="prensa@nabón.example")).recipient == "prensa@xn--nabn-sqa.example"
    message = write(a_recipient(email="nabón@quito.example"))
    assert message.recipient == "nabón@quito.example"
    assert "<nabón@quito.example>".encode() in message.content


def test_a_test_message_is_marked_and_acts_for_nobody():
    """The subject says it is a test; no link of it bears a token; two tests are two messages."""
    stencil = cut_test(an_edition(), a_letterhead(), prefix="[PRUEBA]", date=DATE)
    staff = a_recipient(0, email="redaccion@quito.example")
    message = personalise_test(stencil, staff, signer=SIGNER, greet=greet)
    parsed = read(message)
    assert parsed["Subject"].startswith("[PRUEBA] Brief Internacional")
    assert parsed["Feedback-ID"].startswith("test:")
    assert "https://brief.quito.example/u/test" in parsed["List-Unsubscribe"]
    assert "https://brief.quito.example/p/test" in parsed.get_body(("plain",)).get_content()
    other = personalise_test(stencil, a_recipient(0, email="direccion@quito.example"), signer=SIGNER, greet=greet)
    assert other.message_id != message.message_id


def test_embedded_pictures_travel_in_the_message():
    """Each picture is one part, however often it is shown, and the HTML names it by its Content-ID."""
    picture = Image("a1.png", "image/png", 2, 2, b"\x89PNG" + bytes(range(256)))
    unused = Image("b2.png", "image/png", 2, 2, b"none")
    address = f"{a_letterhead().public_url}/images/a1.png"
    html = f'<p>@@greeting@@</p><img src="{address}"><img src="{address}"><a href="@@unsubscribe_url@@">x</a>'
    edition = msgspec.structs.replace(an_edition(), html=html, images=(picture, unused))
    stencil = cut(edition, a_letterhead(), campaign=3, date=DATE, embedded=True)
    parsed = read(personalise(stencil, a_recipient(42), signer=SIGNER, greet=greet))
    assert [part.get_content_type() for part in parsed.walk()] == [
        *("multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png")
    ]
    assert not [defect for part in parsed.walk() for defect in part.defects]
    shown, carried = parsed.get_body(("html",)), list(parsed.walk())[-1]
    assert carried.get_content() == picture.content
    assert carried["Content-ID"] == "<a1.png@brief.relaciones.quito.example>"
    assert shown.get_content().count('src="cid:a1.png@brief.relaciones.quito.example"') == 2
    assert address not in shown.get_content()
    assert max(map(len, personalise(stencil, a_recipient(1), signer=SIGNER, greet=greet).content.split(b"\r\n"))) < 999
