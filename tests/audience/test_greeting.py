"""Greetings follow the post, the honorific and nothing that isn't said."""

import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.greeting import envelope_name, greeting
from mailer.audience.recipient import Recipient


def recipient(language, honorific, position, name, institution=""):
    return Recipient(
        1, "a@a.example", "gads", language, name=name, honorific=honorific, position=position, institution=institution
    )


@pytest.mark.parametrize(
    ("honorific", "position", "name", "spanish", "english"),
    [
        ("S.E.", "Embajador", "", "Excelentísimo señor Embajador", "Your Excellency"),
        ("", "EMBAJADORA", "", "Excelentísima señora Embajadora", "Your Excellency"),
        ("S.E.", "Embajadora de Francia", "Ana Ruiz", "Excelentísima señora Embajadora", "Your Excellency"),
        ("S.E.", "", "Ana Ruiz", "Excelencia", "Your Excellency"),
        ("S. E.", "Ministro", "", "Excelentísimo señor Ministro", "Your Excellency"),
        ("", "Nuncio Apostólico", "", "Excelentísimo señor Nuncio Apostólico", "Your Excellency"),
        ("Ing.", "Alcalde (E)", "", "Estimado señor Alcalde", "Dear Mayor"),
        ("Abg.", "alcaldesa", "", "Estimada señora Alcaldesa", "Dear Mayor"),
        ("", "Alcalde/sa", "", "Estimada/o colega", "Dear Mayor"),
        ("", "Alcalde(sa)", "", "Estimada/o colega", "Dear Mayor"),
        ("Sra.", "Cónsul Honoraria", "", "Estimada señora Cónsul Honoraria", "Dear Consul"),
        ("Sr", "Consul General de Chile", "", "Estimado señor Cónsul General", "Dear Consul General"),
        ("", "Cónsul", "", "Estimada/o Cónsul", "Dear Consul"),
        ("", "Encargada de Negocios a.i.", "", "Estimada señora Encargada de Negocios", "Dear Chargé d'Affaires"),
        ("", "Country Director", "", "Estimada/o colega", "Dear Country Director"),
        ("Sra.", "Country Director", "", "Estimada señora Directora de País", "Dear Country Director"),
        ("", "Asistente del Alcalde", "", "Estimada/o colega", "Dear colleague"),
        ("Dr.", "Asesor", "Juan Pérez", "Estimado doctor Juan Pérez", "Dear Dr. Juan Pérez"),
        ("Sra.", "", "María Pérez", "Estimada señora María Pérez", "Dear Ms. María Pérez"),
        ("Ing.", "", "María Pérez", "Estimada/o Ing. María Pérez", "Dear María Pérez"),
        ("", "", "María Pérez", "Estimada/o María Pérez", "Dear María Pérez"),
        ("Sr.", "", "Oficina de País", "Estimada/o colega", "Dear colleague"),
        ("Sr.", "", "", "Estimada/o colega", "Dear colleague"),
    ],
)
def test_people_are_greeted_by_rank_then_post_then_name(honorific, position, name, spanish, english):
    """Excellency goes before the post, the post before the name; a gender that isn't said is not guessed."""
    assert greeting(recipient("es", honorific, position, name)) == spanish
    assert greeting(recipient("en", honorific, position, name)) == english


@given(*[st.text(max_size=30)] * 4)
def test_any_text_gives_a_greeting_in_one_line(language, honorific, position, name):
    """Whatever a list holds, the greeting is a line without punctuation of ours at its end and no braces left open."""
    said = greeting(recipient(language, honorific, position, name))
    assert said.strip()
    assert "{post}" not in said
    assert "{title}" not in said


def test_a_language_without_forms_is_greeted_in_spanish():
    """Regional codes count as their language, and unknown languages get the publication's first."""
    assert greeting(recipient("es-EC", "", "Alcalde", "")) == "Estimado señor Alcalde"
    assert greeting(recipient("fr", "", "Alcalde", "")) == "Estimado señor Alcalde"


def test_the_envelope_names_the_person_or_the_institution():
    """An office's name is no person's: the institution stands in the To header."""
    assert envelope_name(recipient("es", "Dra.", "Rectora", "Ana Ruiz", "UCE")) == "Dra. Ana Ruiz"
    assert envelope_name(recipient("es", "", "", "Secretaría General", "UCCI")) == "UCCI"
    assert envelope_name(recipient("es", "", "", "Secretaría General")) == "Secretaría General"


def test_greeting_is_cheap_for_every_message():
    """A greeting seen before costs less than three microseconds."""
    known = recipient("es", "S.E.", "Embajadora", "")
    greeting(known)
    assert min(timeit.repeat(lambda: greeting(known), number=1000, repeat=5)) / 1000 < 3e-6
