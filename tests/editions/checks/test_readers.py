"""Personalisation: the whole register streamed through the slots."""

from datetime import date
from pathlib import Path

from mailer.editions.checks.circumstances import Reader
from mailer.editions.checks.personalisation import personalisation
from mailer.editions.edition import Compiled
from mailer.issues.issue import Issue
from mailer.testing import an_edition

ISSUE = Issue("2026-12", Path("issues/2026-12"), "es", "Brief", date(2026, 12, 1), 12, "Asunto", "Entrada")
COMPILED = Compiled("2026-12", "", (an_edition(segment="gads"), an_edition(segment="diplomats")))


def reader(address="a@a.example", segment="gads", unwritable="", **values):
    return Reader(address, segment, "es", {"greeting": "Estimada", "institution": "GAD"} | values, unwritable)


def judged(readers, segments=("gads",)):
    return [
        (each.finding.code, each.blocks, each.finding.message)
        for each in personalisation(ISSUE, COMPILED, segments, readers)
    ]


def test_readers_whose_slots_are_filled_pass():
    """Nothing to say; links are filled by the sending and not asked of the list."""
    assert judged([reader(), reader("b@a.example")]) == []


def test_an_empty_slot_blocks_and_names_one_of_those_concerned():
    """How many, one of them to look at, and what to do."""
    (found,) = judged([reader(), reader("b@a.example", institution=" "), reader("c@a.example", institution="")])
    assert found[:2] == ("slot-empty", True)
    assert "institution is empty for 2 readers (b@a.example is one) of gads" in found[2]


def test_a_slot_that_the_template_does_not_show_may_be_empty():
    """Only what stands in the edition counts."""
    bare = Compiled("2026-12", "", (an_edition(html="@@greeting@@", text="@@greeting@@"),))
    assert list(personalisation(ISSUE, bare, ["gads"], [reader(institution="")])) == []


def test_long_values_are_told_and_unwritable_readers_block():
    """A value that fills a screen is told; one that no header can hold stops the send."""
    found = judged([reader(greeting="x" * 200), reader("d@a.example", unwritable="To holds a line break")])
    assert [each[:2] for each in found] == [("reader-unwritable", True), ("slot-long", False)]
    assert "the reader d@a.example of gads: To holds a line break" in found[0][2]


def test_a_segment_without_readers_is_told_once_there_is_a_register():
    """An empty register says nothing yet; a segment that alone is empty is a forgotten import."""
    assert judged([], ("gads", "diplomats")) == []
    assert [each[0] for each in judged([reader()], ("gads", "diplomats"))] == ["no-readers"]


def test_a_million_readers_are_never_held():
    """The readers come as a stream, and one is let go before the next is asked for."""
    alive = 0

    def stream():
        nonlocal alive
        for number in range(1000):
            alive = max(alive, number)
            yield reader(f"{number}@a.example")

    assert judged(stream()) == []
    assert alive == 999
