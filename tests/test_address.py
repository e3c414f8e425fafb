"""An address is judged the same, whichever way is the fastest for it."""

from collections.abc import Callable

from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from mailer.address import InvalidAddress, parse_address

LOCAL = st.one_of(
    st.text(st.sampled_from("aZ0.'&+ñé\u0301ª＠李 \u200d|`%_-"), max_size=12),
    st.text(max_size=8),
    st.sampled_from(["a" * 65, "é" * 40]),
)
DOMAIN = st.one_of(
    st.sampled_from(
        ["quito.example", "Quito.EXAMPLE", "españa.example", "xn--espaa-rta.example", "nodots", "[1.2.3.4]"]
    ),
    st.text(st.sampled_from("aZ0.-ñßİ_＠ "), max_size=12),
    st.sampled_from(["é" * 70 + ".example", "a." * 124 + "com", "x" * 64 + ".example"]),
)


@given(LOCAL, DOMAIN)
def test_the_short_ways_judge_as_the_long_one(local, domain):
    """What is remembered of hosts, and told of local parts at a glance, is what email-validator says of the whole."""
    text = f"{local}@{domain}"
    judged, found = _told(judge, text), _told(parse_address, text)
    # It writes "postmaster" small, we as it was written; and of control characters we have a sentence of our own.
    assert found.casefold() == judged.casefold() or ("control character" in found and judged.startswith("! "))


def judge(text: str) -> str:
    return validate_email(text, check_deliverability=False, test_environment=True).normalized


def _told(how: Callable[[str], str], text: str) -> str:
    try:
        return how(text)
    except (EmailNotValidError, InvalidAddress) as problem:
        return f"! {str(problem).rstrip('.')}"
