"""`mailer segments`, run as a person runs it."""

import pytest


@pytest.fixture
def mailer(mailer):
    """The command line with two lists taken in."""
    for name in ("diplomats", "gads"):
        mailer("subscribers", "import", f"subscribers/{name}.csv", "--segment", name, "--json")
    return mailer


def test_a_rule_is_counted_and_previewed(mailer):
    """A rule or a segment's name is counted by standing, and a preview shows some of its people."""
    assert mailer("segments", "count", "gads", "--json")["standing"] == {"deliverable": 244}
    shown = mailer("segments", "preview", 'institution.kind = "embassy" and language = "en"', "--sample", "3", "--json")
    assert shown["people"] == shown["standing"]["deliverable"] > 3
    assert len(shown["sample"]) == 3
    assert "1 person fits" in mailer("segments", "count", "country = Perú")
    assert "column 1 of the rule" in mailer("segments", "count", "nonsense = 1", status=1)


def test_coverage_names_the_places_nobody_reads_at(mailer):
    """The sample list reaches every canton; who leaves takes theirs off the map."""
    cantons, prefectures, _ = mailer("segments", "coverage", "gads", "--json")
    assert (cantons["all"], cantons["reached"], prefectures["reached"]) == (221, 221, 23)
    assert mailer("segments", "coverage", "diplomats", "--json")[2]["reached"] == 37
    mailer("subscribers", "unsubscribe", "alcaldia@paquisha.example")
    cantons, *_ = mailer("segments", "coverage", "gads", "--json")
    assert cantons["missing"] == ["Paquisha (Zamora Chinchipe)"]
    assert "220 of 221" in mailer("segments", "coverage", "gads")
