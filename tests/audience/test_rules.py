"""Rules say who is meant, point at what is wrong, and never become SQL."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.rules import All, Any_, Clicked, Compare, Not, Received, parse_rule
from mailer.errors import Refused

LIST = """correo;cargo;institución;país;idioma
lima@a.example;Embajador;Embajada del Perú;Perú;es
bogota@a.example;Embajadora;Embajada de Colombia;Colombia;en
viena@a.example;Cónsul;Consulado de Austria;Austria;es
nabon@a.example;Alcalde;Municipio de Nabón;;
azuay@a.example;Prefecto;Prefectura del Azuay;Ecuador;es
"""


def who(register, rule):
    return {each["email"].split("@")[0] for each in register.fitting(parse_rule(rule), 50).sample}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('country in ["PE", "CO"] and language = "es" and not institution.kind = "consulate"', "lima"),
        ('country in ["Perú", Colombia]', "lima bogota"),
        ('institution.kind = "embassy" minus language = en', "lima"),
        ("province = Azuay", "nabon azuay"),
        ("canton = 'Nabón' or country = AT", "nabon viena"),
        ('position ~ "embajador"', "lima bogota"),
        ('not (country = "" or country = EC)', "lima bogota viena"),
        ("segment = gads and country != PE", "bogota viena nabon azuay"),
        ("segment = partners", ""),
        ("joined before 2000-01-01", ""),
        ("joined after 2000-01-01 and language = inglés", "bogota"),
        ("did-not-receive 2022-11 and country = PE", "lima"),
        ('received "2022-11"', ""),
    ],
)
def test_a_rule_fits_whom_it_says(take_in, register, rule, expected):
    """Fields, countries by name or code, kinds and places of institutions, issues and days are understood."""
    take_in(LIST)
    assert who(register, rule) == set(expected.split())


def test_people_who_fit_and_get_nothing_are_told_why(take_in, register):
    """A preview counts the deliverable and names the others' standing."""
    take_in(LIST)
    register.unsubscribe("lima@a.example", None, who="reader")
    found = register.fitting(parse_rule('institution.kind = "embassy"'), 10)
    assert (found.people, found.standing) == (2, {"deliverable": 1, "unsubscribed": 1})
    assert {each["standing"] for each in found.sample} == {"deliverable", "unsubscribed"}


@pytest.mark.parametrize(
    ("rule", "column", "says"),
    [
        ("", 1, "missing"),
        ("country = ", 10, "missing"),
        ('country == "PE"', 10, "expected"),
        ('language = es and countri = "PE"', 19, "did you mean 'country'"),
        ("joined after 2022-13-01", 14, "no day"),
        ("(country = PE", 13, "missing"),
        ("country = PE; drop table subscribers", 13, "expected"),
    ],
)
def test_an_error_points_at_its_column(rule, column, says):
    """The sentence names the column and what was expected there."""
    with pytest.raises(Refused, match=says) as told:
        parse_rule(rule)
    assert abs(int(str(told.value).split()[1]) - column) <= 1


def test_a_rule_may_ask_for_clicks():
    """Who followed a link of an issue is a rule like any other."""
    assert parse_rule('not clicked "2022-11"') == Not(Clicked("2022-11"))


@given(st.text(max_size=60))
def test_any_text_is_a_rule_or_refused(text):
    """No text breaks the reader."""
    with suppress(Refused):
        assert parse_rule(text)


RULES = st.recursive(
    st.sampled_from(["country = PE", "language = en", 'institution.kind = "consulate"', "received 2022-10"]),
    lambda inner: st.one_of(
        inner.map(lambda rule: f"not ({rule})"),
        st.tuples(inner, st.sampled_from(["and", "or", "minus"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
    ),
    max_leaves=5,
)


def fits(rule, person):
    match rule:
        case Compare():
            return person.get(rule.field, "") in rule.values
        case Not():
            return not fits(rule.rule, person)
        case All():
            return all(fits(each, person) for each in rule.rules)
        case Any_():
            return any(fits(each, person) for each in rule.rules)
        case Received():
            return False


def test_rules_mean_what_logic_says(take_in, register):
    """Any combination of rules fits exactly whom a plain reading of it fits."""
    take_in(LIST)
    people = {
        "lima": {"country": "PE", "language": "es", "institution.kind": "embassy"},
        "bogota": {"country": "CO", "language": "en", "institution.kind": "embassy"},
        "viena": {"country": "AT", "language": "es", "institution.kind": "consulate"},
        "nabon": {"institution.kind": "municipality"},
        "azuay": {"country": "EC", "language": "es", "institution.kind": "prefecture"},
    }

    @given(RULES)
    def check(text):
        rule = parse_rule(text)
        assert who(register, text) == {name for name, person in people.items() if fits(rule, person)}

    check()
