"""Ways out that can't carry a campaign are found before it starts; alerts go by whichever way is open."""

from itertools import islice

import pytest
from PIL import Image

from mailer import dispatch
from mailer.app import App
from mailer.doctor import Health, examine
from tests.publication import Publication

NOBODY = ("127.0.0.1", 9)  # no name server: DNS is not what these tests look at
API = '\n[transports.api]\nkind = "sendgrid"\nkey_env = "KEY"\nurl = "http://127.0.0.1:9"\n'


@pytest.fixture
def publication(tmp_path, monkeypatch):
    """A short issue, approved, a reader, and a way out by an API that writes messages anew."""
    monkeypatch.setenv("KEY", "k")
    publication = Publication.small(tmp_path)
    publication.add(API)
    publication.enlist(1, "gads")
    publication.configure(r'^transport = "outbox"', 'transport = ["outbox", "api"]')
    return publication


def send(publication):
    publication.run("approve", "2022-11", "--by", "Dirección")
    return publication.refusal("send", "2022-11", "--segment", "gads", "--yes")


def test_a_signature_that_would_be_lost_stops_the_campaign(publication):
    """With [dkim] and an API that writes messages anew no campaign begins, until the provider is said to sign."""
    publication.run("dkim", "keygen")
    publication.add('\n[dkim]\nselector = "brief"\nkey_file = "dkim-brief.pem"\n')
    said = send(publication)
    assert "[transports.api] can't carry this issue" in said
    assert "signs_itself = true" in said
    publication.run("schedule", "2022-11", "--segment", "gads", "--at", "2099-11-30 09:00", status=1)
    assert publication.json("campaigns", "list") == []
    publication.configure(r'^kind = "sendgrid"', 'kind = "sendgrid"\nsigns_itself = true')
    publication.run("send", "2022-11", "--segment", "gads", "--yes")


def test_pictures_inside_stop_the_campaign(publication):
    """An API that is given text and HTML alone can't carry embedded pictures: said before anybody is written to."""
    publication.configure('^images = "hosted"', 'images = "embedded"')
    folder = publication.folder / "issues/2022-11"
    (folder / "images").mkdir()
    Image.new("RGB", (1200, 600), "navy").save(folder / "images/plaza.png")
    with (folder / "issue.md").open("a", encoding="utf-8") as file:
        file.write("\n![La plaza de noche](images/plaza.png)\n")
    assert "holds image/" in send(publication)
    assert publication.json("campaigns", "list") == []


def test_an_alert_goes_by_the_way_that_is_open(publication):
    """The way that refuses us is what an alert is about: it goes by [staff] transport, or by the next way."""
    publication.configure(r'^transport = \["outbox", "api"\]', 'transport = ["api", "outbox"]')
    app = App.load(publication.config)
    dispatch.alert(app, subject="paused", text="look", occasion="o-1")
    letters = list((publication.folder / "var/outbox").glob("*.eml"))
    assert len(letters) == len(app.staff()) == 2
    publication.configure("^# transport = .*", 'transport = "outbox"')
    assert [way.name for way in App.load(publication.config).outgoing.alarms] == ["outbox", "api"]
    app.close()


def test_doctor_looks_at_every_way(publication):
    """Each way out is asked to let us in, not the first alone."""
    app = App.load(publication.config)
    ways = (finding for finding in examine(app, nameserver=NOBODY) if finding.subject == "transport")
    found = list(islice(ways, 2))  # the questions to a DNS that nobody answers come after them
    app.close()
    assert [finding.health for finding in found] == [Health.OK, Health.FAILED]
    assert "[transports.api]" in found[1].message
