"""`mailer clicks`: the figures of an issue, for a person and for a program."""

from pathlib import Path

import pytest

from mailer.app import App
from mailer.feedback.scanners import Change, Click, Judged
from tests.publication import Publication

TEXT = "### Una asamblea\n\n[Leer más](https://quito.example/asamblea) y [el acta](https://quito.example/acta).\n"


@pytest.fixture
def office(tmp_path: Path) -> Publication:
    """A publication whose short issue has gone out to two partners, with two links in its article."""
    made = Publication.small(tmp_path)
    path = made.folder / "issues" / "2022-11" / "issue.md"
    path.write_text(path.read_text(encoding="utf-8").replace("### Una asamblea\n", TEXT), encoding="utf-8")
    made.configure("^pdf = true", "pdf = false")  # the footer's link to it is counted too, and belongs to no article
    made.enlist(2, "partners")
    made.run("approve", "2022-11", "--by", "Dirección")
    made.run("send", "2022-11", "--yes")
    return made


def follow(office: Publication, url: str, *judged: Judged) -> None:
    """Let a link have been followed, by these."""
    app = App.load(office.config)
    laid = app.clicks.laid(1).editions["partners", "es"]
    number = next(number for link, number in laid.items() if link.url == url)
    changes = [Change(Click(number, edition=1, of=2, whence="", at=0), each) for each in judged]
    app.clicks.count(changes, now=app.clock.now())
    app.close()


def test_figures_by_article_and_segment(office: Publication):
    """Raw and human figures stand side by side, by segment, by article and by link; an issue without any is refused."""
    follow(office, "https://quito.example/asamblea", Judged.PERSON, Judged.PERSON, Judged.AGENT, Judged.BURST)
    follow(office, "https://quito.example/acta", Judged.PERSON, Judged.HASTE)
    found = office.json("clicks", "2022-11")
    assert found["campaigns"] == [{"id": 1, "tracking": "aggregate"}]
    assert (found["raw"], found["human"], found["trap"]) == (6, 3, 0)
    assert found["segments"]["partners"] == {"raw": 6, "human": 3, "judged": found["judged"]}
    assert found["judged"] == {"agent": 1, "burst": 1, "haste": 1, "person": 3}
    (article,) = found["articles"]
    assert "asamblea" in article
    urls = {link["url"]: (link["raw"], link["human"]) for link in found["links"] if link["segment"] == "partners"}
    assert urls == {"https://quito.example/asamblea": (4, 2), "https://quito.example/acta": (2, 1)}
    told = office.run("clicks", "2022-11").out
    assert "3 of 6 are no person's" in told
    assert "█" in told
    assert "mailer campaigns list" in office.refusal("clicks", "2031-01")
