"""`[dkim]`: every message that leaves is signed, and a set-up that DMARC would reject is refused at once."""

import asyncio
import os
import re
import stat
from pathlib import Path

import dkim as dkimpy
import pytest
from sqlalchemy import update

from mailer import dispatch
from mailer.address import Mailbox
from mailer.app import App
from mailer.audience.recipient import Recipient
from mailer.storage.register import subscribers
from tests.publication import Publication


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    return Publication.small(tmp_path)


def verified(content: bytes, records: dict[str, str]) -> bool:
    """Whether another implementation verifies every signature, with these DNS records."""
    judge = dkimpy.DKIM(content)
    count = content.count(b"DKIM-Signature:")
    return count > 0 and all(
        judge.verify(index, dnsfunc=lambda name, timeout=5: records[name.decode().rstrip(".")].encode())
        for index in range(count)
    )


def records_of(printed: str) -> dict[str, str]:
    """The records of zone lines, as a name server would give them."""
    lines = re.findall(r"^(\S+)\. IN TXT \( (.*) \)$", printed, re.MULTILINE)
    return {name: "".join(re.findall(r'"([^"]*)"', strings)) for name, strings in lines}


def test_what_leaves_is_signed(publication: Publication):
    """With the key that keygen made, a campaign's messages, tests, alerts and the pages' letters all verify."""
    records = records_of(publication.run("dkim", "keygen", "--selector", "b2022").out)
    publication.add('\n[dkim]\nselector = "b2022"\nkey_file = "dkim-b2022.pem"\n')
    list_file = publication.write_list("uno@lista.example", "dos@lista.example")
    publication.run("subscribers", "import", str(list_file), "--segment", "gads")
    publication.run("approve", "2022-11", "--by", "Dirección")
    publication.run("send", "2022-11", "--segment", "gads", "--yes")
    sent = [file.read_bytes() for file in publication.letters()]
    assert len(sent) == 2
    app = App.load(publication.config)
    edition = app.compile("2022-11")[1].edition("gads", "es")
    reader = Recipient(subscriber_id=0, email="uno@lista.example", segment="gads", language="es")
    trial = app.test_message(edition, reader).content
    notice = app.notice(Mailbox("", "uno@lista.example"), subject="Aviso", text="Hola\n\n\n", occasion="x").content
    letter = app.signed(
        b"From: a@quito.example\r\nTo: b@lista.example\r\nSubject: long\r\n one\r\n\r\nHola\r\n\r\n\r\n"
    )
    app.close()
    assert all(verified(content, records) for content in (*sent, trial, notice, letter))
    assert not verified(notice.replace(b"Subject: ", b"Subject: No "), records)


def test_a_private_key_is_private_and_never_overwritten(publication: Publication):
    """The key's file is its owner's alone; a second keygen leaves it as it is."""
    os.umask(0o022)
    publication.run("dkim", "keygen")
    path = publication.folder / "dkim-brief.pem"
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "--out" in publication.refusal("dkim", "keygen")
    assert path.read_bytes() == before


def test_several_keys(publication: Publication):
    """Two tables sign twice: RSA for everybody, Ed25519 beside it."""
    for kind in ("rsa", "ed25519"):
        publication.run("dkim", "keygen", "--kind", kind, "--selector", kind)
        publication.add(f'\n[[dkim]]\nselector = "{kind}"\nkey_file = "dkim-{kind}.pem"\n')
    app = App.load(publication.config)
    assert [key.algorithm for key in app.signing_keys] == ["rsa-sha256", "ed25519-sha256"]
    assert app.signed(b"From: a@quito.example\r\n\r\nx\r\n").count(b"DKIM-Signature:") == 2


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[dkim]\nselector = "b"\nkey_file = "none.pem"', "keygen"),
        ('[dkim]\nselector = "b"', "either key_file or key_env"),
        ('[dkim]\nselector = "b"\nkey_env = "NO_SUCH_KEY"', "NO_SUCH_KEY"),
        ('[dkim]\nselector = "b"\nfile = "x"', '[dkim] has an unknown key "file"'),
        ('[dkim]\nkey_file = "x"', '[dkim] lacks the key "selector"'),
        ('[dkim]\nselector = "b"\ndomain = "otra.example"\nkey_file = "x"', "DMARC"),
    ],
)
def test_a_wrong_table_is_told_in_a_sentence(publication: Publication, table: str, said: str):
    """A key that is missing, named twice or of another organisation's domain stops the command, and says why."""
    publication.add(f"\n{table}\n")
    assert said in publication.refusal("test-send", "2022-11")


@pytest.mark.parametrize(
    ("sender", "bounces", "is_aligned"),
    [
        ("brief@quito.gob.ec.example", "rebotes.quito.gob.ec.example", True),
        ("brief@relaciones.quito.example", "otra.example", False),
        ("brief@quito.example", "rebotes.quito.example", True),
    ],
)
def test_the_bounce_domain_is_of_the_same_organisation(publication, sender, bounces, is_aligned):
    """A bounce domain that would fail DMARC is refused as soon as the config is read."""
    publication.configure("^from = .*", f'from = "Brief <{sender}>"')
    publication.configure("^bounce_domain = .*", f'bounce_domain = "{bounces}"')
    said = publication.run("segments", status=0 if is_aligned else 1).err
    assert ("DMARC" in said) is not is_aligned


def test_a_reader_to_whom_nothing_can_be_written_is_refused_alone(publication: Publication):
    """A name that no header may hold refuses its own delivery; everybody else is sent theirs."""
    list_file = publication.write_list("uno@lista.example", "dos@lista.example")
    publication.run("subscribers", "import", str(list_file), "--segment", "gads")
    publication.run("approve", "2022-11", "--by", "Dirección")
    app = App.load(publication.config)
    compiled = dispatch.prepare(app, "2022-11")  # once the name is broken, its check would say so
    with app.database.write() as connection:
        broken = update(subscribers).where(subscribers.c.email == "uno@lista.example")
        connection.execute(broken.values(name="Uno\r\nBcc: todos@lista.example"))
    opened = dispatch.open_campaign(app, compiled, ["gads"], by="test")
    result = asyncio.run(dispatch.send(app, dispatch.begin(app, opened, who="test")))
    app.close()
    assert (result.account.sent, result.account.refused) == (1, 1)
    assert len(publication.letters()) == 1
