"""The rules by their codes, and what the office may do about them: turn one off, or make an error a warning."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from mailer.editions.checks.circumstances import Waiver
from mailer.editions.checks.remark import Remark
from mailer.editions.edition import Waived
from mailer.errors import OperatorError
from mailer.suggest import did_you_mean

_FILE: Final = Path(__file__).with_name("rules.toml")
# What no waiver reaches: without these there is no mail.
UNREADABLE: Final = "unreadable"


@cache
def rules() -> dict[str, tuple[str, str]]:
    """Each code with its family and what it looks for."""
    families: dict[str, dict[str, str]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {code: (family, told) for family, codes in families.items() for code, told in codes.items()}


def family(code: str) -> str:
    """
    The family of a rule.

    >>> family("link-dead")
    'links'
    """
    return rules().get(code, ("content", ""))[0]


def refuse_unknown(waivers: Mapping[str, Waiver], config: str) -> None:
    """
    Stop at a waiver of a rule that isn't there, or without a reason.

    Raises:
        OperatorError: Names the rule and the config.

    """
    for code, waiver in waivers.items():
        if code not in rules():
            raise OperatorError(f'{config}: [check.rules] there is no rule "{code}"; {did_you_mean(code, rules())}')
        if not waiver.reason.strip():
            raise OperatorError(f'{config}: [check.rules] "{code}" needs a reason; say why it does not count here')


def waive(remarks: Iterable[Remark], waivers: Mapping[str, Waiver]) -> tuple[tuple[Remark, ...], tuple[Waived, ...]]:
    """What is left of the remarks, and what was turned off, counted."""
    left: list[Remark] = []
    counts: dict[str, int] = {}
    for remark in remarks:
        waiver = waivers.get(remark.finding.code)
        if waiver is None:
            left.append(remark)
        elif waiver.level == "warning":
            left.append(Remark(remark.finding, blocks=False))
        else:
            counts[remark.finding.code] = counts.get(remark.finding.code, 0) + 1
    return tuple(left), tuple(Waived(code, count, waivers[code].reason) for code, count in counts.items())
