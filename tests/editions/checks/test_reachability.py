"""Links asked for on the web: a real server on this machine, which the rule must be allowed to see."""

import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.editions.checks.circumstances import Failure
from mailer.editions.checks.kept_answers import kept
from mailer.editions.checks.reachability import ask, is_public


class Pages(BaseHTTPRequestHandler):
    """A few pages; `/inside` sends on to an address that must not be asked."""

    def do_GET(self):
        self.server.seen.append(f"{self.command} {self.path} {self.headers['Host']}")
        path = self.path
        if path == "/round":
            return self.answer(302, "/round")
        if path == "/moved":
            return self.answer(301, "/here")
        if path == "/inside":
            return self.answer(302, "http://127.0.0.2:1/secret")
        if path == "/file":
            return self.answer(302, "file:///etc/passwd")
        if path == "/get-only" and self.command == "HEAD":
            return self.answer(405)
        known = {"/here": 200, "/get-only": 200, "/gone": 410, "/broken": 500}
        return self.answer(known.get(path, 404))

    do_HEAD = do_GET  # noqa: N815

    def answer(self, status, location=None):
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass


@pytest.fixture
def server():
    """A server on a free port, ended with the test."""
    found = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    found.seen = []
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()
    thread.join()


def only_this(number):
    return str(number) == "127.0.0.1"


def test_pages_that_are_there_pass_and_the_server_hears_the_name(server):
    """A page, one that moved, one that answers GET alone; the request carries the name though a number is dialled."""
    base = f"http://127.0.0.1:{server.server_port}"
    assert ask([f"{base}/here", f"{base}/moved", f"{base}/get-only"], allowed=only_this) == {}
    assert f"HEAD /here 127.0.0.1:{server.server_port}" in server.seen


def test_what_is_not_there_is_certain_and_a_broken_server_is_not(server):
    """404 and 410 block; 500 is for a person to try."""
    base = f"http://127.0.0.1:{server.server_port}"
    found = ask([f"{base}/nowhere", f"{base}/gone", f"{base}/broken", f"{base}/round"], allowed=only_this)
    assert {url[len(base) :]: failure.certain for url, failure in found.items()} == {
        "/nowhere": True,
        "/gone": True,
        "/broken": False,
        "/round": True,
    }


def test_an_address_inside_is_refused_also_behind_a_redirect(server):
    """Nothing is asked of the loopback, and a public page can't send the check there."""
    base = f"http://127.0.0.1:{server.server_port}"
    assert "inside" in ask([f"{base}/here"])[f"{base}/here"].reason
    assert server.seen == []
    found = ask([f"{base}/inside", f"{base}/file"], allowed=only_this)
    assert "inside" in found[f"{base}/inside"].reason
    assert "no web page" in found[f"{base}/file"].reason
    assert all(failure.certain for failure in found.values())


def test_a_name_that_leads_inside_is_refused():
    """The name is resolved before it is judged."""
    found = ask(["http://localhost:9/", "http://[::1]:9/", "http://2130706433/", "http://0x7f.1/"])
    assert len(found) == 4
    assert all(failure.certain for failure in found.values())


def test_a_certificate_that_browsers_refuse_is_told(server):
    """TLS asks for the name although a number is dialled; what nobody vouches for is told."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    (failure,) = ask([f"https://localhost:{server.server_port}/here"], allowed=lambda _: True).values()
    assert "certificate" in failure.reason
    assert not failure.certain


def test_hosts_and_addresses_that_are_none_are_told():
    """A name that nobody has, and an address that can't be read."""
    found = ask(["https://nobody.invalid/", "http://a b/", "http:///x"])
    assert set(found) == {"https://nobody.invalid/", "http://a b/", "http:///x"}


@given(
    st.sampled_from(["10.0.0.0", "127.0.0.0", "169.254.0.0", "192.168.0.0", "172.16.0.0", "100.64.0.0"]),
    st.integers(0, 65535),
)
@settings(max_examples=40)
def test_no_private_number_passes_in_any_dress(block, offset):
    """Plain, mapped into IPv6 or tunnelled by 6to4: private stays private."""
    number = ip_address(int(ip_address(block)) + offset)
    assert not is_public(number)
    assert not is_public(ip_address(f"::ffff:{number}"))
    assert not is_public(ip_address((0x2002 << 112) | (int(number) << 80)))


def test_answers_are_kept_for_a_day_and_failures_for_minutes(tmp_path):
    """What was asked is not asked again; what failed is asked again soon."""
    rounds = []

    def answers(urls):
        rounds.append(sorted(urls))
        return {"b": Failure("gone", certain=True)} if "b" in urls else {}

    now = datetime(2026, 12, 1, tzinfo=UTC)
    path = tmp_path / "cache" / "links.json"
    for minutes in (0, 5, 20, 60 * 25):
        found = kept(path, now + timedelta(minutes=minutes), answers)(["a", "b"])
        assert list(found) == ["b"]
    assert rounds == [["a", "b"], ["b"], ["a", "b"]]
    path.write_text("{broken")
    assert list(kept(path, now, answers)(["a", "b"])) == ["b"]
