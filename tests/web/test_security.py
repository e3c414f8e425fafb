"""What scanners, strangers and vandals try, and what comes of it: nothing."""

import asyncio
import itertools
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.editions.edition import Compiled
from mailer.messages.trail import Link
from mailer.storage.campaign_tables import campaigns
from mailer.storage.editions import Shelf
from mailer.testing import an_edition
from mailer.web import tickets
from mailer.web.forms import line
from mailer.web.mask import masked
from tests.web.conftest import ROOT, books, link_in, status_of

GOLDEN = ROOT / "tests" / "golden"
METHODS = ("GET", "HEAD", "OPTIONS")
NASTY = (
    "{{ 713*769 }}{% raw %}",
    "<mj-raw><script>alert(1)</script></mj-raw>",
    '"><img src=x onerror=alert(1)>',
    "Ana\r\nBcc: all@quito.example\r\n\r\nbody",
    "@@unsubscribe_url@@ ${713*769} #{713*769} %s %n",
    "\u202egnp.exe\u2028\u0000\x1b[31m",
)


@pytest.fixture
async def paths(links, browser, letters, clock) -> list[str]:
    """One valid link of every kind there is."""
    form = {"email": "new@quito.example", "segment": "gads", "consent": "yes"}
    page = (await browser.get("/subscribe")).text
    puzzle = re.search(r'name="puzzle" value="([^"]+)"', page)[1]
    clock.advance(minutes=1)
    await browser.post("/subscribe", data=form | {"puzzle": puzzle})
    await browser.post(links("preferences"), data={"action": "link"})
    posted = [link_in(letter) for letter in await letters()]
    assert len(posted) == 2
    return [links("unsubscribe"), links("preferences"), *posted]


@pytest.mark.timeout(300)
async def test_scans_change_nothing(app, house, paths) -> None:
    """GET, HEAD and OPTIONS over every link with a token, many at once, leave all as it was but the clicks counted."""
    now = house.clock.now()
    row = {"id": 3, "issue": "2022-11", "content_hash": "x", "segments": "[]", "state": "finished", "created_at": now}
    with house.database.write() as connection:
        connection.execute(campaigns.insert().values(row | {"finished_at": now}))
    counted = {("gads", "es"): [Link("a", "https://quito.example/")]}
    house.clicks.lay(3, "individual", counted, trap_url="https://quito.example/", now=now)
    paths.append(f"/l/{house.signer.sign('link', '2')}/{house.signer.sign('clicker', '3-1')}")
    suffixes = ("", "?action=leave", "?List-Unsubscribe=One-Click", "?lang=en", "?action=confirm&action=erase&sure=yes")
    before = books(house)
    statuses = set()
    for _ in range(4):
        everything = itertools.product(paths, suffixes, METHODS)  # at once, as scanners come
        asked = (status_of(app, method, path + suffix) for path, suffix, method in everything)
        statuses |= set(await asyncio.gather(*asked))
    assert statuses == {200, 302, 405}
    after = books(house)
    assert {name for name in after if after[name] != before[name]} == {"clicks"}


async def test_other_methods_change_nothing(house, browser, paths) -> None:
    """PUT, DELETE, PATCH and made-up methods are refused with a page of ours."""
    before = books(house)
    for path, method in itertools.product(paths, ("PUT", "DELETE", "PATCH", "PROPFIND", "TRACE", "LEAVE")):
        assert (await browser.request(method, path, content=b"List-Unsubscribe=One-Click")).status_code == 405
    assert books(house) == before


async def test_bad_tokens_are_refused_alike(house, browser, paths) -> None:
    """Flipped bits, another purpose, another secret, an unknown reader: one answer for all, and no change."""
    signer, before, answers = house.signer, books(house), set()
    tokens = [path.rpartition("/")[2] for path in paths]
    wrong = [f"/{kind}/{token}" for kind, token in itertools.product("upmc", tokens) if f"/{kind}/{token}" not in paths]
    for path in paths:
        spots = range(3, len(path), 3)
        wrong += [path[:spot] + chr(ord(path[spot]) ^ 1) + path[spot + 1 :] for spot in spots if path[spot] not in "./"]
    wrong += [f"/u/{signer.sign('unsubscribe', payload)}" for payload in ("3-999", "3-", "3", "x-1", "3-01", "3-1-1")]
    wrong += ["/u/x", "/u/%00", "/u/" + "a" * 5000, "/c/0", "/m/%F0%9F%92%8C", "/p/{{713*769}}"]
    for path in wrong:
        for method in ("GET", "POST"):
            answer = await browser.request(method, path, data={"action": "leave"} if method == "POST" else None)
            assert answer.status_code == 404, path
            answers.add(re.sub(r'nonce="[^"]+"|href="[^"]*"', "", answer.text))
    assert len(answers) == 1
    assert books(house) == before


def test_no_bit_of_a_token_may_differ(house) -> None:
    """Each of the eight bits of each character turned round, or one character more or less, opens nothing."""
    signer, now = house.signer, house.clock.now()
    openers = {
        signer.sign("unsubscribe", "3-1"): lambda token: tickets.bearer_of(signer, tickets.UNSUBSCRIBE, token),
        signer.sign("preferences", "3-1"): lambda token: tickets.bearer_of(signer, tickets.PREFERENCES, token),
        signer.sign("link", "7"): lambda token: tickets.link_of(signer, token),
        tickets.confirm_token(signer, 5): lambda token: tickets.signup_of(signer, token),
        tickets.mine_token(signer, 1, now): lambda token: tickets.owner_of(signer, token, now),
    }
    for token, opened in openers.items():
        assert opened(token)
        for spot, bit in itertools.product(range(len(token)), range(8)):
            assert opened(token[:spot] + chr(ord(token[spot]) ^ 1 << bit) + token[spot + 1 :]) is None, (token, spot)
        assert not any(opened(each) for each in (token[:-1], token[1:], f"{token}0", f"0{token}", token.upper()))


async def test_typed_text_stays_text(house, links, browser, letters) -> None:
    """Templates, markup and line breaks typed as a name are shown as text and never run."""
    await browser.post(links("preferences"), data={"action": "link"})
    own = link_in((await letters())[-1])
    for nasty in NASTY:
        page = await browser.post(own, data={"action": "save", "segment": "gads", "name": nasty})
        assert page.status_code == 200
        body = page.text.partition("</style>")[2]
        assert "548297" not in body
        assert "<script>alert" not in body
        assert "<img" not in body
        name = next(row.name for row in books(house)["subscribers"] if row.id == 1)
        assert re.search(r"[\x00-\x1f\u2028\u202e]", name) is None


@given(st.text(max_size=400))
@settings(max_examples=60)
def test_a_line_is_one_clean_line(text: str) -> None:
    """Whatever is typed, a field holds one line without control characters."""
    from starlette.datastructures import FormData

    clean = line(FormData([("name", text)]), "name")
    assert clean == clean.strip()
    assert len(clean) <= 200
    assert clean.splitlines() in ([], [clean])
    clean.encode("utf-8")


@given(st.emails())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_mask_hides_all_but_two_letters(address: str) -> None:
    """A masked address shows the first letter of each half and the last label, and no length."""
    local, _, domain = address.rpartition("@")
    hint = masked(address)
    assert hint.count("•") == 10
    assert len(hint) <= 14 + len(domain.rpartition(".")[2])
    assert len(local) < 3 or local not in hint


async def test_headers_of_every_page(links, browser) -> None:
    """Pages, errors and files all carry the security headers, no cookie, and a fresh nonce."""
    nonces = set()
    paths = ("/subscribe", "/privacy", "/health", "/nothing", links("unsubscribe"), links("preferences"), "/u/bad")
    for path in paths:
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "permissions-policy" in answer.headers
        assert "set-cookie" not in answer.headers
        assert "strict-transport-security" not in answer.headers
        nonces.add(re.search(r"script-src 'nonce-([^']+)'", policy)[1])
    assert len(nonces) == len(paths)


async def test_hsts_behind_tls(app) -> None:
    """Once the request came over TLS, browsers are told to stay there."""
    import httpx

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://pages.example") as client:
        assert "max-age=31536000" in (await client.get("/subscribe")).headers["strict-transport-security"]


async def test_pages_are_light_and_alone(links, browser) -> None:
    """A page weighs less than 50 kB and asks nobody else for anything."""
    for path in ("/subscribe", "/privacy", links("unsubscribe"), links("preferences")):
        page = await browser.get(path)
        assert len(page.content) < 50_000
        assert re.search(r'(?:src|action)="(?:https?:)?//|<link[^>]+stylesheet|@import|url\(', page.text) is None


async def test_an_edition_is_light_on_the_wire(house, browser, links) -> None:
    """The November issue weighs less than 50 kB as a browser gets it; pages with a token are never compressed."""
    html = (GOLDEN / "2022-11.es.diplomats.html").read_text(encoding="utf-8")
    now = house.clock.now()
    Shelf(house.database).put(Compiled("2022-11", "hash", (an_edition(html=html, hash="hash"),)), now=now)
    row = {"issue": "2022-11", "content_hash": "hash", "segments": "[]", "created_at": now, "frozen_at": now}
    with house.database.write() as connection:
        connection.execute(campaigns.insert().values(**row, state="finished"))
    page = await browser.get("/brief/2022-11/")
    assert "asamblea" in page.text
    assert page.headers["content-encoding"] == "gzip"
    assert int(page.headers["content-length"]) < 50_000
    assert "ETag" in page.headers
    assert "content-encoding" not in (await browser.get(links("preferences"))).headers


async def test_big_bodies_are_refused(browser, links) -> None:
    """A body over 64 kB is refused, whether its length was announced or not."""

    async def endless():
        for _ in range(1600):
            yield b"a" * 65536

    announced = {"Content-Length": str(100 * 2**20), "Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/subscribe", links("unsubscribe")):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await browser.post(path, content=b"a=" + b"b" * 70_000, headers=kind)).status_code == 413
        assert (await browser.post(path, content=endless(), headers=kind)).status_code in (400, 413)
        assert (await browser.post(path, content=b"x", headers=announced)).status_code == 413


async def test_unreadable_bodies_are_refused(browser, links) -> None:
    """Broken multipart, odd types and odd encodings get an error page, never a failure of ours."""
    bodies = [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        (
            "multipart/form-data; boundary=x; charset=klingon",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--',
        ),
        ("application/json", b"{}"),
        ("application/x-www-form-urlencoded", b"%FF%FE=%00&&&=;"),
        ("text/plain; charset=\xff".encode("latin-1").decode("latin-1"), b"\xff"),
    ]
    for path in ("/subscribe", links("unsubscribe"), links("preferences")):
        for kind, body in bodies:
            answer = await browser.post(path, content=body, headers={"Content-Type": kind.encode("latin-1")})
            assert answer.status_code in (200, 400, 422), (path, kind)
