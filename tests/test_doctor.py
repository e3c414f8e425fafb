"""`mailer doctor` on a real publication, with a DNS server of our own."""

import shutil
import socket
import threading
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from mailer.app import App
from mailer.doctor import Finding, Health, examine
from mailer.messages import dkim

ROOT = Path(__file__).parents[1]


@pytest.fixture
def app(tmp_path):
    """The sample publication in a folder of its own."""
    for part in ("issues", "templates"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "config.toml", tmp_path)
    app = App.load(tmp_path / "config.toml")
    yield app
    app.close()


@pytest.fixture
def nameserver():
    """A DNS server on 127.0.0.1 that knows the TXT records put into its dictionary."""
    records: dict[str, list[str]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)
        stop = threading.Event()
        thread = threading.Thread(target=answer, args=(server, records, stop))
        thread.start()
        yield records, server.getsockname()
        stop.set()
        thread.join(5)


def answer(server: socket.socket, records: dict[str, list[str]], stop: threading.Event) -> None:
    """Answer what is known, and NXDOMAIN for the rest, until told to stop."""
    while not stop.is_set():
        try:
            wire, asker = server.recvfrom(4096)
        except TimeoutError:
            continue
        query = dns.message.from_wire(wire)
        name = query.question[0].name
        reply = dns.message.make_response(query)
        texts = records.get(name.to_text(omit_final_dot=True))
        if texts:
            strings = (" ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255)) for text in texts)
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *strings))
        else:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        server.sendto(reply.to_wire(), asker)


def findings(app: App, server: tuple[str, int]) -> dict[str, Health]:
    """What is found of each thing."""
    return {finding.subject: finding.health for finding in examine(app, nameserver=server)}


def test_everything_is_looked_at(app, nameserver):
    """A new publication has its database and transport; lists, https and DNS are still to be set up."""
    _, server = nameserver
    found = findings(app, server)
    assert {subject for subject, health in found.items() if health is Health.OK} == {
        "config",
        "folders",
        "database",
        "staff",
        "schedule",
        "transport",
    }
    assert {subject for subject, health in found.items() if health is Health.WARNING} == {
        "lists",
        "links",
        "SPF",
        "DKIM",
        "DMARC",
    }


def test_published_records_are_found(app, nameserver):
    """SPF is looked for at the envelope's domain, DMARC at From's and above it."""
    records, server = nameserver
    records["rebotes.quito.example"] = ["unrelated", "v=spf1 mx -all"]
    records["_dmarc.quito.example"] = ["v=DMARC1; p=none"]
    found = findings(app, server)
    assert found["SPF"] is found["DMARC"] is Health.OK


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_the_published_key_must_be_the_one_that_signs(app, nameserver, tmp_path, kind):
    """A signing key that isn't in the DNS, or that is another than the one there, fails with the record to publish."""
    records, server = nameserver
    pair = dkim.keygen("relaciones.quito.example", "brief", kind=kind)
    (tmp_path / "key.pem").write_text(pair.private_pem, encoding="ascii")
    with (tmp_path / "config.toml").open("a", encoding="utf-8") as config:
        config.write('[dkim]\nselector = "brief"\ndomain = "relaciones.quito.example"\nkey_file = "key.pem"\n')
    signing = App.load(tmp_path / "config.toml")

    def look() -> Finding:
        return next(found for found in examine(signing, nameserver=server) if found.subject == "DKIM")

    assert look().health is Health.FAILED
    assert look().message.endswith(f"publish {pair.record}")
    records[pair.name] = [dkim.keygen("relaciones.quito.example", "brief", kind=kind).record]
    assert "another key" in look().message
    records[pair.name] = [pair.record.replace("; ", " ;  ")]
    assert look().health is Health.OK
    signing.close()


def test_two_spf_records_are_a_fault(app, nameserver):
    """Two SPF records make receivers ignore both (RFC 7208 4.5)."""
    records, server = nameserver
    records["rebotes.quito.example"] = ["v=spf1 mx -all", "v=spf1 -all"]
    assert findings(app, server)["SPF"] is Health.FAILED


def test_a_server_that_is_away_is_named(app, nameserver, tmp_path):
    """A transport that can't be reached fails, in its own words."""
    _, server = nameserver
    text = (tmp_path / "config.toml").read_text(encoding="utf-8")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        changed = text.replace('transport = "outbox"', 'transport = "smtp"').replace("port = 25", f"port = {port}")
        (tmp_path / "config.toml").write_text(changed, encoding="utf-8")
        other = App.load(tmp_path / "config.toml")
        (finding,) = [found for found in examine(other, nameserver=server) if found.subject == "transport"]
        other.close()
    assert finding.health is Health.FAILED
    assert "[transports.smtp]" in finding.message
