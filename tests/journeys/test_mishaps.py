"""What goes wrong before anything goes out is said in one sentence, exit 1, and nothing is lost."""

import shutil
import threading
import time
from datetime import UTC, datetime

from mailer.deliveries.ledger import Run
from mailer.storage.database import Database
from mailer.storage.ledger import SqlLedger
from mailer.testing import Fault, SmtpSink


def test_an_unknown_key_is_named(publication) -> None:
    """A misspelt key in the config is named with its section."""
    publication.configure(r"^connections = 4", "conections = 4")
    said = publication.refusal("segments")
    assert "[delivery]" in said
    assert "conections" in said


def test_a_test_in_a_language_that_is_not_written_is_refused(publication) -> None:
    """The staff is not sent another language's edition in silence."""
    assert "add issue.en.md" in publication.refusal("test-send", "2022-11", "--language", "en")


def test_the_demo_asks_for_its_sample(publication) -> None:
    """Where the sample's lists are missing the demo says so before it starts anything."""
    shutil.rmtree(publication.folder / "subscribers")
    assert "there is no subscribers/ in" in publication.refusal("demo")


def test_bad_rows_go_to_a_file(publication) -> None:
    """The good rows go in; each bad one is written down with its line and the reason, and the command says where."""
    path = publication.folder / "lista.csv"
    path.write_text("Correo;Nombre\nuno@lista.example;Uno\nno es correo;Dos\n;Tres\n", encoding="cp1252")
    order = ("subscribers", "import", str(path), "--segment", "partners")
    account = publication.json(*order, status=1)
    assert (account["rows"], account["new"], account["rejected"]) == (3, 1, 2)
    rejects = (publication.folder / account["rejects_file"]).read_text(encoding="utf-8-sig")
    assert "no es correo" in rejects
    assert "3" in rejects
    assert "2 filas de 3 se apartaron" in publication.refusal(*order)


def test_a_missing_picture_is_named(publication) -> None:
    """An issue that names a picture which isn't there can't be rendered; file and line are said."""
    (publication.folder / "issues" / "2022-11" / "images" / "jica.svg").unlink()
    said = publication.refusal("render", "2022-11")
    assert "issues/2022-11/issue.md:" in said
    assert "jica.svg" in said


def test_a_refused_login_marks_nobody(publication, monkeypatch) -> None:
    """The campaign pauses with the server's words; every recipient is still pending."""
    publication.run("subscribers", "import", "subscribers/partners.csv", "--segment", "partners")
    publication.run("approve", "2022-11", "--by", "Dirección")
    monkeypatch.setenv("SMTP_PASSWORD", "wrong")
    with SmtpSink(logins={"brief": "right"}).in_thread() as sink:
        publication.send_over_smtp(sink.port)
        publication.configure('^username = ""', 'username = "brief"')
        said = publication.refusal("send", "2022-11", "--segment", "partners", "--yes")
    assert "paused" in said
    assert "535" in said
    (campaign,) = publication.json("campaigns", "list")
    assert campaign["state"] == "paused"
    assert campaign["counts"]["pending"] == campaign["counts"]["recipients"] == 40
    assert campaign["reconciled"] is True


def test_a_sender_that_was_taken_over_says_so(publication) -> None:
    """Taken for dead in mid-send it ends with a sentence and not with a traceback; the next send does the rest."""
    publication.run("subscribers", "import", "subscribers/partners.csv", "--segment", "partners")
    publication.run("approve", "2022-11", "--by", "Dirección")
    with SmtpSink(faults=[Fault("accepted", stall=0.05)]).in_thread() as sink:
        publication.send_over_smtp(sink.port)

        def take_over() -> None:
            until = time.monotonic() + 60
            while sink.count < 5 and time.monotonic() < until:
                time.sleep(0.01)
            database = Database(f"sqlite:///{publication.folder / 'var' / 'mailer.db'}")
            SqlLedger(database).end(Run(id=1, campaign_id=1), now=datetime.now(UTC))
            database.close()

        other = threading.Thread(target=take_over)
        other.start()
        assert "took" in publication.refusal("send", "2022-11", "--segment", "partners", "--yes")
        other.join()
        account = publication.json("send", "2022-11", "--segment", "partners", "--yes")
    assert account["reconciled"] is True
    assert account["state"] == "finished"
    assert account["counts"]["sent"] + account["counts"]["uncertain"] == 40
