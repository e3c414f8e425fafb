"""`mailer bounces` and `mailer feedback`, run as people run them."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.publication import ROOT, Publication

SAMPLES = ROOT / "tests" / "feedback" / "samples"


def mailer(*arguments, cwd, stdin=b""):
    ran = subprocess.run(
        [sys.executable, "-m", "mailer", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=200,
    )
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


@pytest.fixture
def office(tmp_path):
    return Publication.small(tmp_path)


def test_explain_needs_no_config(tmp_path):
    """What is understood of files is one JSON document, with neither config nor database."""
    files = [str(SAMPLES / f"{name}.eml") for name in ("qmail-unknown-user", "vacation-rfc3834")]
    status, out, err = mailer("bounces", "--explain", *files, "--json", cwd=tmp_path)
    assert (status, err) == (0, "")
    first, second = json.loads(out)
    assert first == {
        "file": files[0],
        "kind": "bounce",
        "recipients": [
            {
                "address": "alcaldia@nabon.example",
                "status": "5.1.1",
                "reason": "unknown_user",
                "hard": True,
                "passed_on": False,
            }
        ],
    }
    assert second["kind"] == "vacation"
    assert not list(tmp_path.iterdir())


def test_explain_reads_mailboxes(tmp_path):
    """A Maildir's messages and an mbox's are explained one by one, each under a name of its own."""
    for name in ("cur", "new", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    shutil.copy(SAMPLES / "arf-complaint.eml", tmp_path / "Maildir" / "new" / "1")
    (tmp_path / "Maildir" / "tmp" / "2").write_bytes(b"half a mail")
    one = b"From a@b.example Wed Nov 30 09:00:00 2022\n" + (SAMPLES / "domino.eml").read_bytes() + b"\n"
    (tmp_path / "box").write_bytes(one + one)
    status, out, _ = mailer("bounces", "--explain", "Maildir", "box", "--json", cwd=tmp_path)
    assert status == 0
    assert [(one["file"], one["kind"]) for one in json.loads(out)] == [
        ("Maildir/new/1", "complaint"),
        ("box#1", "bounce"),
        ("box#2", "bounce"),
    ]


def test_missing_file_is_one_sentence(tmp_path):
    """A file that isn't there ends in one sentence on standard error."""
    status, out, err = mailer("bounces", "--explain", "nowhere.eml", cwd=tmp_path)
    assert (status, out) == (1, "")
    assert err.startswith("mailer: nowhere.eml can't be read")


def test_pipe_keeps_what_nobody_can_attribute(office):
    """A bounce from a pipe that names no delivery of ours waits in the folder, is listed and counted."""
    raw = (SAMPLES / "postfix-unknown-user.eml").read_bytes()
    status, out, err = mailer("bounces", "--json", cwd=office.folder, stdin=raw)
    assert (status, json.loads(out), err) == (0, {"unattributed": 1}, "")
    assert [path.read_bytes() for path in (office.folder / "var" / "unattributed").iterdir()] == [raw]
    listed = office.json("feedback", "list")
    assert listed["counts"] == {"unattributed": 1}
    assert listed["events"][0]["reason"] == "unknown_user"
    assert "User unknown in virtual mailbox table" in office.run("feedback", "show", "1").out
    assert office.json("feedback", "reprocess") == {"outcomes": {"unattributed": 1}, "evidence_dropped": 0}


def test_a_pipe_that_fails_leaves_the_mail_where_it_is(tmp_path):
    """A mail that can't be recorded ends in a sentence and the status that mail servers keep it for."""
    status, out, err = mailer("bounces", cwd=tmp_path, stdin=(SAMPLES / "postfix-unknown-user.eml").read_bytes())
    assert (status, out) == (75, "")
    assert err.startswith("mailer: the config ")
