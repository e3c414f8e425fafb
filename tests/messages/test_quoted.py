"""Quoted-printable runs that can be joined."""

import quopri

from hypothesis import given
from hypothesis import strategies as st

from mailer.messages.quoted import quote_text, quote_value

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
_VALUE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=300)
_AWKWARD = st.lists(st.sampled_from([".", "From ", "=", " ", "\t", "ñ", "x" * 74, "\U0001f30b", "."]), max_size=60).map(
    "".join
)


def _is_sound(wire):
    lines = wire.split(b"\r\n")
    assert all(len(line) <= 76 for line in lines)
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert b"\r" not in b"".join(lines)
    assert b"\n" not in b"".join(lines)


@given(st.lists(st.tuples(_TEXT | _AWKWARD, _VALUE | _AWKWARD), max_size=4))
def test_joined_runs_say_what_was_written(pairs):
    """Texts and values encoded apart and joined decode to the texts and values joined, on sound lines."""
    wire = b"".join(quote_text(text) + quote_value(value) for text, value in pairs)
    _is_sound(wire)
    written = "".join(text + value for text, value in _with_single_breaks(pairs))
    assert quopri.decodestring(wire.replace(b"\r\n", b"\n")).decode() == written


def _with_single_breaks(pairs):
    return [(text.replace("\r\n", "\n").replace("\r", "\n"), value) for text, value in pairs]
