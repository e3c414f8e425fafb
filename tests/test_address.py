"""An address is judged the same, whichever way is the fastest for it."""

from collections.abc import Callable

from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from mailer.address import InvalidAddress, address_key, parse_address

LOCAL = st.one_of(
    st.text(st.sampled_from("aZ0.'&+ñé\u0301ª＠李 \u200d|`%_-"), max_size=12),
    st.text(max_size=8),
    st.sampled_from(["a" * 65, "é" * 40, "李" * 60]),
)
DOMAIN = st.one_of(
    st.sampled_from(
        ["quito.example", "Quito.EXAMPLE", "españa.example", "xn--espaa-rta.example", "nodots", "[1.2.3.4]"]
    ),
    st.text(st.sampled_from("aZ0.-ñßİ_＠ "), max_size=12),
    st.sampled_from(
        [
            "é" * 70 + ".example",
            "例" * 15 + ".中国",
            "例子.例子.例子.例子.中国",
            "a." * 124 + "com",
            "x" * 64 + ".example",
        ]
    ),
)


@given(LOCAL, DOMAIN)
def test_the_short_ways_judge_as_the_long_one(local, domain):
    """What is remembered of hosts, and told of local parts at a glance, is what email-validator says of the whole."""
    text = f"{local}@{domain}"
    judged, found = _told(judge, text), _told(parse_address, text)
    # It writes "postmaster" small, we as it was written; and of control characters we have a sentence of our own.
    assert found.casefold() == judged.casefold() or ("control character" in found and judged.startswith("! "))


@given(
    st.lists(
        st.one_of(
            st.text("abz09-ñéàöøÿßñ", min_size=1, max_size=22),
            st.text("a9-άωςбяџびヴ강例子龥÷", min_size=1, max_size=22),
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(["ec", "example", "рф", "中国", "ελ", "コム", "е9", "9"]),
)
def test_common_hosts_are_judged_without_the_tables_of_idna(labels, top):
    """They are taken or refused as email-validator does, and have the key that the standard library's IDNA gives."""
    domain = ".".join([*labels, top])
    judged, found = _told(judge, f"a@{domain}"), _told(parse_address, f"a@{domain}")
    assert found == judged
    if not judged.startswith("! ") and not {"ß", "ς"}.intersection(domain):
        assert address_key(found) == f"a@{domain.encode('idna').decode()}"


def judge(text: str) -> str:
    return validate_email(text, check_deliverability=False, test_environment=True).normalized


def _told(how: Callable[[str], str], text: str) -> str:
    try:
        return how(text)
    except (EmailNotValidError, InvalidAddress) as problem:
        return f"! {str(problem).rstrip('.')}"
