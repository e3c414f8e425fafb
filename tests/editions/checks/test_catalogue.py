"""The rules by name, and what the office may waive."""

import re
from pathlib import Path

import pytest

from mailer.editions.checks.catalogue import refuse_unknown, rules, waive
from mailer.editions.checks.circumstances import Waiver
from mailer.editions.checks.remark import error, warning
from mailer.errors import OperatorError

CHECKS = Path(__file__).parents[3] / "mailer" / "editions" / "checks"


def test_every_rule_that_speaks_is_in_the_catalogue_and_no_other():
    """A code that a rule uses can be waived, and one that can be waived is used."""
    spoken = set()
    for file in CHECKS.glob("*.py"):
        source = file.read_text(encoding="utf-8")
        spoken |= set(re.findall(r'(?:error|warning)\(\s*"([a-z-]+)"', source))
        spoken |= (
            set(re.findall(r'code = "([a-z-]+)" if .* else "([a-z-]+)"', source)[0]) if "code = " in source else set()
        )
    spoken |= {"subject-length", "preheader-length"}
    assert spoken == set(rules())


def test_an_unknown_rule_is_an_error_with_a_suggestion():
    """A typo in the config doesn't pass for a waiver."""
    with pytest.raises(OperatorError, match=r'no rule "link-shortner"; did you mean "link-shortener"\?'):
        refuse_unknown({"link-shortner": Waiver("off", "x")}, "config.toml")


def test_a_waiver_needs_a_reason():
    """Nobody turns a rule off without saying why."""
    with pytest.raises(OperatorError, match='"link-local" needs a reason'):
        refuse_unknown({"link-local": Waiver("off", "  ")}, "config.toml")


def test_what_is_waived_is_counted_and_an_error_can_become_a_warning():
    """A rule turned off is silent but accounted for; one made a warning doesn't block."""
    remarks = [error("segment", "a:1", "x"), warning("space", "a:2", "x"), warning("space", "a:3", "x")]
    waivers = {"segment": Waiver("warning", "old list"), "space": Waiver("off", "house style")}
    left, waived = waive(remarks, waivers)
    assert [(remark.finding.code, remark.blocks) for remark in left] == [("segment", False)]
    assert [(each.code, each.count, each.reason) for each in waived] == [("space", 2, "house style")]
