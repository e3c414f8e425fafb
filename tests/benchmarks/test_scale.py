"""The simulation behind docs/scale.md agrees with its arithmetic where one thing alone bounds the rate."""

import sys

import pytest

from benchmarks import scale


@pytest.mark.parametrize(
    ("by", "options"),
    [
        ("processors", ["--cpu", "5", "--connections", "256"]),
        ("connections", ["--connections", "8"]),
        ("database", ["--row", "3000", "--connections", "256", "--database-cores", "1"]),
        ("network", ["--gigabits", "0.05"]),
    ],
)
def test_the_tightest_bound_is_what_comes_out(
    by: str, options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Each bound rules where it is the tightest, and the simulated rate comes near it and not above."""
    monkeypatch.setattr(sys, "argv", ["scale", "--machines", "1", *options])
    scale.main()
    first = capsys.readouterr().out.splitlines()[1].split()
    simulated, bound = float(first[1]), float(first[2])
    assert first[3] == by
    assert 0.75 * bound < simulated < 1.05 * bound
