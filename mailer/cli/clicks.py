"""`mailer clicks ISSUE`: which links were followed, by segment; by people as far as that can be told, and in all."""

from typing import TYPE_CHECKING, Any

import typer

from mailer.cli.console import JSON, house, print_json, say, table
from mailer.cli.options import Issue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailer.storage.clicks import Count

_BAR = 12
_MACHINES = {
    "method": "asked without opening (HEAD, prefetch)",
    "agent": "call themselves no browser",
    "haste": "came within seconds of the delivery",
    "burst": "went from link to link faster than a person",
    "trap": "came with a visit to the link that nobody sees",
    "again": "the same again within seconds",
}
_WAYS = {
    "none": "its links are not counted ([feedback] tracking)",
    "aggregate": "counted without names",
    "individual": "counted; by name where a reader said yes to it",
}


def clicks(context: typer.Context, issue: Issue, *, json: bool = JSON) -> None:
    """Count the links of an issue that were followed, by article and segment."""
    from mailer.errors import Refused

    app = house(context)
    counts, tracking = app.clicks.counts(issue)
    if not tracking:
        raise Refused(f"no campaign of {issue} was ever opened; `mailer campaigns list` shows those there are")
    found = _document(issue, counts, tracking)
    if json:
        print_json(found)
    else:
        _show(found)


def _document(issue: str, counts: "list[Count]", tracking: dict[int, str]) -> dict[str, Any]:
    seen = [count for count in counts if not count.is_trap]
    return {
        "issue": issue,
        "campaigns": [{"id": number, "tracking": how} for number, how in sorted(tracking.items())],
        **_sums(seen),
        "trap": sum(count.raw for count in counts if count.is_trap),
        "segments": {name: _sums(each for each in seen if each.segment == name) for name in _in_order(seen, "segment")},
        "articles": {name: _sums(each for each in seen if each.article == name) for name in _in_order(seen, "article")},
        "links": seen,
    }


def _in_order(counts: "list[Count]", field: str) -> list[str]:
    return list(dict.fromkeys(getattr(count, field) for count in counts))


def _sums(counts: "Iterable[Count]") -> dict[str, Any]:
    raw = human = 0
    judged: dict[str, int] = {}
    for count in counts:
        raw, human = raw + count.raw, human + count.human
        for sign, number in count.judged.items():
            judged[sign] = judged.get(sign, 0) + number
    return {"raw": raw, "human": human, "judged": judged}


def _show(found: dict[str, Any]) -> None:
    for campaign in found["campaigns"]:
        say(f"Campaign {campaign['id']} of {found['issue']}: {_WAYS[campaign['tracking']]}")
    if not found["links"]:
        return
    segments, most = list(found["segments"]), max(1, *(_people(found, name) for name in found["articles"]))
    rows = []
    for article in found["articles"]:
        of = [each for each in found["links"] if each.article == article]
        by_segment = (sum(each.human for each in of if each.segment == name) for name in segments)
        sums = found["articles"][article]
        bar = "█" * round(_BAR * sums["human"] / most)
        rows.append((article or "(none)", *by_segment, sums["human"], sums["raw"], bar))
    whole = (found["segments"][name]["human"] for name in segments)
    rows.append(("all", *whole, found["human"], found["raw"], ""))
    table(("Article", *segments, "People", "Raw", ""), rows, figures=range(1, len(segments) + 3))
    _tell_machines(found)


def _people(found: dict[str, Any], article: str) -> int:
    return int(found["articles"][article]["human"])


def _tell_machines(found: dict[str, Any]) -> None:
    if machines := found["raw"] - found["human"]:
        say(f"{machines} of {found['raw']} are no person's, as far as that can be told:")
        for sign, number in found["judged"].items():
            if sign in _MACHINES:
                say(f"  {number:>6}  {_MACHINES[sign]}")
    if found["trap"]:
        say(f"The link that nobody sees was followed {found['trap']} times.")
