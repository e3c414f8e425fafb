"""The November 2022 Brief goes out, end to end, and every person is accounted for."""

import email
import email.policy
import re
from pathlib import Path

from mailer.testing import sink_process

ISSUE = "2022-11"
ONCE = ("Date", "From", "To", "Subject", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post")


def import_the_lists(publication) -> int:
    """Take in the three sample lists; gives how many subscribers there are."""
    for segment in ("diplomats", "gads", "partners"):
        account = publication.json("subscribers", "import", f"subscribers/{segment}.csv", "--segment", segment)
        assert account["rejected"] == 0
    return len(publication.json("subscribers", "list"))


def plain(text: str) -> str:
    """Text with every run of white space made one blank."""
    return re.sub(r"\s+", " ", text)


def test_the_brief_reaches_everybody_once(publication, tmp_path) -> None:
    """Import, check, test, approve, send over SMTP: each subscriber gets one sound message, and the sums reconcile."""
    people = import_the_lists(publication)
    assert people == 343
    assert publication.json("check", ISSUE)["errors"] == []
    received = tmp_path / "received"
    with sink_process(tmp_path / "accepted.log", folder=received, durable=False) as sink:
        publication.send_over_smtp(sink.port)
        assert len(publication.json("test-send", ISSUE)["messages"]) == 2
        publication.run("approve", ISSUE, "--by", "Dirección")
        account = publication.json("send", ISSUE, "--yes")
        accepted = sink.accepted()
    assert account["state"] == "finished"
    assert account["reconciled"] is True
    assert account["counts"]["recipients"] == account["counts"]["sent"] == people
    campaign = [recipient for message_id, recipient in accepted if "test-" not in message_id]
    assert len(campaign) == len(set(campaign)) == people
    told = {line["email"]: line for line in publication.json("deliveries", ISSUE)}
    assert {line["message_id"] for line in told.values()} == {found for found, _ in accepted if "test-" not in found}
    for file in sorted(received.glob("*.eml")):
        assert_is_sound(file)


def assert_is_sound(file: Path) -> None:
    """A message parses without a defect, has each header once, and says the same in text and HTML."""
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert message.defects == []
    assert {name: len(message.get_all(name, [])) for name in ONCE} == dict.fromkeys(ONCE, 1)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "@@" not in text + html
    for part in (text, html):
        assert "Nabón, Esmeraldas, El Chaco, Cuenca" in plain(part)


def test_a_second_campaign_is_refused(publication) -> None:
    """Who has had the issue isn't written to again, unless --again says so."""
    import_the_lists(publication)
    publication.run("approve", ISSUE, "--by", "Dirección")
    publication.run("send", ISSUE, "--yes")
    assert "--again" in publication.refusal("send", ISSUE, "--yes")
    assert publication.json("send", ISSUE, "--segment", "partners", "--yes", "--again")["counts"]["sent"] == 40


def test_an_edit_voids_the_approval(publication) -> None:
    """Nothing goes out that nobody signed off as it stands."""
    import_the_lists(publication)
    assert "approve" in publication.refusal("send", ISSUE, "--yes")
    publication.run("approve", ISSUE, "--by", "Dirección")
    text = publication.folder / "issues" / ISSUE / "issue.md"
    text.write_text(text.read_text(encoding="utf-8").replace("Patronato San José", "Patronato"), encoding="utf-8")
    assert "approve" in publication.refusal("send", ISSUE, "--yes")
    assert publication.json("campaigns", "list") == []


def test_who_left_is_not_written_to(publication) -> None:
    """An unsubscribe holds against a second import and against a send."""
    import_the_lists(publication)
    publication.run("subscribers", "unsubscribe", "alcaldia@nabon.example")
    again = publication.json("subscribers", "import", "subscribers/gads.csv", "--segment", "gads")
    assert (again["new"], again["kept_unsubscribed"]) == (0, 1)
    publication.run("approve", ISSUE, "--by", "Dirección")
    assert publication.json("send", ISSUE, "--yes")["counts"]["sent"] == 342
    assert "alcaldia@nabon.example" not in {line["email"] for line in publication.json("deliveries", ISSUE)}
