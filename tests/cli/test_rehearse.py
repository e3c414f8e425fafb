"""A rehearsal is the whole campaign, on a copy: the account is the same in kind, and nothing of ours changes."""

from pathlib import Path

import pytest

from tests.publication import Publication

PEOPLE = 150


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    """A publication with a short issue and a list."""
    made = Publication.small(tmp_path)
    made.enlist(PEOPLE, "gads")
    return made


@pytest.mark.parametrize("faults", ["mild", "harsh"])
def test_everybody_is_accounted_for_whatever_the_server_does(publication: Publication, faults: str):
    """Greylisting, drops, refusals and lost answers: the sums reconcile, none is lost, and nothing is left behind."""
    told = publication.json("rehearse", "2022-11", "--faults", faults, "--segment", "gads")
    counts = told["account"]["counts"]
    assert (told["kept"], told["lost"], told["repeated_unlisted"]) == (True, 0, 0)
    assert told["account"]["state"] == "finished"
    assert counts["recipients"] == PEOPLE
    assert counts["sent"] < PEOPLE
    assert (counts["uncertain"] > 0) is (faults == "harsh")
    assert publication.json("campaigns", "list") == []
    assert publication.letters() == []


def test_the_set_up_may_be_slow_and_parallel(publication: Publication):
    """Pace, hours and processes of the real set-up don't hold a rehearsal up."""
    publication.configure("^connections = .*", 'connections = 2\nprocesses = 2\nrate = "10/hour"')
    assert "Everybody is accounted for" in publication.run("rehearse", "2022-11", "--faults", "none").out


def test_nobody_to_rehearse_with(publication: Publication):
    """A segment without readers is told in a sentence."""
    assert "import a list" in publication.refusal("rehearse", "2022-11", "--segment", "diplomats")
