"""Header fields as they go on the wire."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32, default
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.address import Mailbox
from mailer.messages import headers
from mailer.messages.headers import Unwritable

_NAME = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)


def _read(field):
    return message_from_bytes(field + b"\r\nx\r\n", policy=default)


def _is_folded(field):
    lines = field.removesuffix(b"\r\n").split(b"\r\n")
    assert all(len(line) <= 78 for line in lines)
    assert all(line[:1] in b" \t" for line in lines[1:])
    assert field.isascii()


@given(_NAME)
def test_a_display_name_comes_back_as_it_was(name):
    """Any name survives the To field but for double spaces, in folded ASCII, and the address stays what it is."""
    field = headers.mailbox_field("To", Mailbox(name, "alcaldia@nabon.example"))
    _is_folded(field)
    (address,) = _read(field)["To"].addresses
    assert address.addr_spec == "alcaldia@nabon.example"
    # Before 3.13 the new parser keeps the space between two encoded words of a name; the old one never did.
    old = message_from_bytes(field + b"\r\n", policy=compat32)["To"]
    shown, _ = parseaddr(old)
    assert str(make_header(decode_header(shown))) == " ".join(name.split())


def test_a_long_spanish_name_folds_at_its_spaces():
    """Only the words with accents are encoded, so that any parser finds the spaces where they were."""
    name = "Gobierno Autónomo Descentralizado Municipal del Cantón San Miguel de los Bancos y sus Parroquias"
    field = headers.mailbox_field("To", Mailbox(name, "alcaldia@nabon.example"))
    _is_folded(field)
    assert _read(field)["To"].addresses[0].display_name == name


@given(_NAME)
def test_a_subject_comes_back_as_it_was(subject):
    """Any subject survives, folded where it is long."""
    field = headers.text_field("Subject", subject)
    _is_folded(field)
    assert _read(field)["Subject"] == subject


@pytest.mark.parametrize("evil", ["\r", "\n", "\r\nBcc: a@b.example", "\0", "\ud800"])
def test_no_field_takes_a_line_break(evil):
    """CR, LF, NUL and half a character are refused in every kind of field."""
    text = f"Quito{evil}"
    attempts = [
        lambda: headers.text_field("Subject", text),
        lambda: headers.mailbox_field("To", Mailbox(text, "a@b.example")),
        lambda: headers.mailbox_field("To", Mailbox("", f"a{evil}@b.example")),
        lambda: headers.raw_field("Message-ID", text),
        lambda: headers.url_field("List-Unsubscribe", [f"https://b.example/{text}"]),
        lambda: headers.list_id_field("b.example", text),
        lambda: headers.list_id_field(f"b.example{evil}", "Brief"),
    ]
    for attempt in attempts:
        with pytest.raises(Unwritable):
            attempt()


def test_a_url_is_never_encoded():
    """A long one-click URL stands raw in angle brackets, however long it is."""
    url = f"https://quito.example/u/{'a' * 300}"
    field = headers.url_field("List-Unsubscribe", [url, "mailto:u@quito.example"])
    assert field == f"List-Unsubscribe: <{url}>,\r\n <mailto:u@quito.example>\r\n".encode()


@pytest.mark.parametrize("url", ["https://quito.example/ñ", "https://a b", "https://a>,<b", "", "x" * 1000])
def test_a_url_that_no_header_can_carry_is_refused(url):
    """What is not printable ASCII, would end its brackets, or is longer than a line, is refused."""
    with pytest.raises(Unwritable):
        headers.url_field("List-Unsubscribe", [url])


def test_a_name_with_specials_is_quoted():
    """Commas and quotation marks in a name are part of the name."""
    field = headers.mailbox_field("To", Mailbox('Nabón, "GAD"'.replace("ó", "o"), "a@b.example"))
    assert field == b'To: "Nabon, \\"GAD\\"" <a@b.example>\r\n'


def test_text_that_looks_encoded_is_encoded():
    """A subject that holds what looks like an encoded word is shown as it was written."""
    assert _read(headers.text_field("Subject", "=?utf-8?q?x?="))["Subject"] == "=?utf-8?q?x?="


def test_a_date_needs_a_zone():
    """An instant without a zone is a mistake of ours."""
    with pytest.raises(ValueError, match="time zone"):
        headers.date_field(datetime(2022, 11, 30))  # noqa: DTZ001
    assert headers.date_field(datetime(2022, 11, 30, 14, tzinfo=UTC)) == b"Date: Wed, 30 Nov 2022 14:00:00 +0000\r\n"


def test_a_domain_goes_out_in_ascii():
    """The domain is put into its ASCII form; a local part outside ASCII stays for SMTPUTF8."""
    assert headers.wire_address("prensa@nabón.example") == "prensa@xn--nabn-sqa.example"
    assert headers.wire_address("nabón@quito.example") == "nabón@quito.example"
    with pytest.raises(Unwritable):
        headers.wire_address("x@ñ..example")
