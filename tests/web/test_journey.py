"""A reader's whole story in a real browser: on a telephone, with the keyboard alone, in both languages."""

import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe

from mailer.app import App
from mailer.rehearsal import Ahead
from mailer.web.application import create
from mailer.web.serving import settings
from tests.web.conftest import books, enrol, link_in, publish, send_sample

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed"),
    pytest.mark.timeout(300),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# WCAG 2.2 2.5.8, 1.4.10, 1.3.1, 2.4.2, 3.1.1, 2.4.6: what axe would complain of first.
FLAWS = """() => {
  const flaws = [];
  if (document.documentElement.scrollWidth > innerWidth) flaws.push("wider than the screen");
  if (document.querySelectorAll("h1").length !== 1) flaws.push("not one h1");
  if (!document.title || !document.documentElement.lang) flaws.push("no title or language");
  if (document.querySelectorAll("main").length !== 1) flaws.push("not one main");
  const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
  if (new Set(ids).size !== ids.length) flaws.push("an id twice");
  let level = 1;
  for (const heading of document.querySelectorAll("main h1, main h2, main h3")) {
    if (+heading.tagName[1] > level + 1) flaws.push("a heading level is skipped");
    level = +heading.tagName[1];
  }
  for (const field of document.querySelectorAll("main input:not([type=hidden]), main select")) {
    const hasLabel = field.labels && field.labels.length;
    if (!hasLabel && !field.closest("[aria-hidden]")) flaws.push(field.name + " lacks a label");
  }
  for (const one of document.querySelectorAll("button, nav a, header a:not(.skip), main input[type=checkbox]")) {
    const box = (one.labels && one.labels[0] || one).getBoundingClientRect();
    if (box.height < 24 || box.width < 24) flaws.push("too small: " + one.outerHTML.slice(0, 80));
  }
  for (const one of document.querySelectorAll("[aria-describedby]")) {
    for (const id of one.getAttribute("aria-describedby").split(" "))
      if (!document.getElementById(id)) flaws.push("describes nothing: " + id);
  }
  return flaws;
}"""


class Site:
    """A publication that is being served, and the mailbox its letters fall into."""

    def __init__(self, folder: Path) -> None:
        self.outbox = folder / "var" / "outbox"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.house = App.load(publish(folder, public_url=self.url))
        self.clock = self.house.clock = Ahead()
        enrol(self.house, "embajada@ambito.example", "Ana", "es")
        self.server = uvicorn.Server(settings(create(self.house), "127.0.0.1", 0))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]})
        self.thread.start()

    def link_posted_to(self, address: str) -> str:
        """The link in the newest letter to this address, waited for."""
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            for file in sorted(self.outbox.glob("*.eml"), key=lambda file: file.stat().st_mtime, reverse=True):
                letter = message_from_bytes(file.read_bytes(), policy=policy.default)
                if letter["To"] == address:
                    return self.url + link_in(letter)
            time.sleep(0.1)
        raise AssertionError(f"no letter to {address}")

    def close(self) -> None:
        """Stop serving."""
        self.server.should_exit = True
        self.thread.join(100)
        self.listener.close()
        self.house.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A publication that is being served."""
    site = Site(tmp_path)
    yield site
    site.close()


@pytest.fixture(scope="module")
def still_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One that has sent the sample issue, to be looked at and left as it is."""
    site = Site(tmp_path_factory.mktemp("site"))
    send_sample(site.house)
    yield site
    site.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    """A browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


class Telephone:
    """A page 375 px wide, worked by keys alone; it notes what the console and the network complain of."""

    def __init__(self, chromium, language: str, **options) -> None:
        self.context = chromium.new_context(
            viewport={"width": 375, "height": 740}, locale=language, color_scheme="light", **options
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        self.page.on("request", lambda request: self.hosts.add(re.sub(r"^(\w+://[^/]*).*", r"\1", request.url)))

    def open(self, url: str) -> None:
        """Go to an address."""
        self.page.goto(url)
        self.look()

    def look(self) -> None:
        """Nothing is wrong with the page at hand."""
        assert self.page.evaluate(FLAWS) == []

    def tab_to(self, selector: str) -> None:
        """Press Tab until the focus is there, and see that it can be seen."""
        for _ in range(60):
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                outline = self.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
                assert outline != "none"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard never reaches {selector}")

    def press(self, selector: str) -> None:
        """Move to a button or link and press Enter."""
        self.tab_to(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.look()

    def heading(self) -> str:
        """What the page is about."""
        return self.page.inner_text("h1")


WORDS = {
    "es": (
        "Mire su correo",
        "Falta solo un paso",
        "Le damos la bienvenida",
        "Listo: no le escribiremos más",
        "Todo sigue como antes",
    ),
    "en": (
        "Check your mailbox",
        "One step left",
        "Welcome",
        "Done: we will not write to you again",
        "Everything is as before",
    ),
}


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_reader_comes_goes_and_comes_back(site: Site, chromium, language: str) -> None:
    """Subscribe, confirm, change, pause, leave, come back: by keys alone, 375 px wide, with no complaint anywhere."""
    asked, step, welcome, left, back = WORDS[language]
    email, telephone = f"prensa-{language}@nuevo.example", Telephone(chromium, language)
    keys, page = telephone.page.keyboard, telephone.page
    telephone.open(f"{site.url}/subscribe")
    telephone.tab_to("#email")
    keys.type(email)
    telephone.tab_to("#name")
    keys.type("Prensa")
    telephone.tab_to("#segment-2")
    keys.press("Space")
    telephone.tab_to("#consent")
    keys.press("Space")
    telephone.press("#join button")
    assert telephone.heading() == asked
    telephone.open(site.link_posted_to(email))
    assert telephone.heading() == step
    telephone.press("button[value=confirm]")
    assert telephone.heading() == welcome
    telephone.press('main a[href^="/p/"]')
    telephone.tab_to("#segment-3")
    keys.press("Space")
    day = site.house.clock.now() + timedelta(days=40)
    telephone.tab_to("#pause")
    keys.type(day.strftime("%m%d%Y"))
    telephone.press("button[value=save]")
    assert page.locator("[role=status]").count() == 1
    reader = next(row for row in books(site.house)["subscribers"] if row.email == email)
    assert abs(reader.paused_until - day) < timedelta(days=2)
    joined = [row.segment for row in books(site.house)["memberships"] if row.subscriber_id == reader.id]
    assert sorted(joined) == ["gads", "partners"]
    telephone.press("button[value=leave]")
    assert telephone.heading() == left
    telephone.press("button[value=return]")
    assert telephone.heading() == back
    telephone.press("footer nav a")
    assert telephone.complaints == []
    assert telephone.hosts <= {site.url, "data:,"}
    assert telephone.context.cookies() == []
    telephone.context.close()


def test_without_javascript(site: Site, chromium) -> None:
    """All of it is readable and works where scripts are switched off, for who takes a person's time to fill it in."""
    context = chromium.new_context(java_script_enabled=False, locale="es")
    page = context.new_page()
    page.goto(f"{site.url}/subscribe")
    page.fill("#email", "lectora@nuevo.example")
    page.check("#segment-1")
    page.check("#consent")
    site.clock.by += timedelta(seconds=4)
    page.click("#join button")
    page.goto(site.link_posted_to("lectora@nuevo.example"))
    page.click("button[value=confirm]")
    assert page.inner_text("h1") == WORDS["es"][2]
    context.close()


def test_own_data_and_erasure(site: Site, chromium) -> None:
    """The posted link downloads everything and erases it, by keys alone."""
    telephone = Telephone(chromium, "es")
    token = site.house.signer.sign("preferences", "3-1")
    telephone.open(f"{site.url}/p/{token}")
    telephone.press("button[value=link]")
    telephone.open(site.link_posted_to("embajada@ambito.example"))
    telephone.tab_to("button[value=download]")
    with telephone.page.expect_download() as download:
        telephone.page.keyboard.press("Enter")
    assert "embajada@ambito.example" in download.value.path().read_text(encoding="utf-8")
    telephone.tab_to("#sure")
    telephone.page.keyboard.press("Space")
    telephone.press("button[value=erase]")
    assert "embajada" not in repr(books(site.house))
    telephone.context.close()


def breaches(chromium, url: str, scheme: str) -> list[tuple[str, list[str]]]:
    """What axe-core complains of on a page, and where."""
    context = chromium.new_context(
        viewport={"width": 375, "height": 740}, color_scheme=scheme, locale="es", bypass_csp=True
    )
    page = context.new_page()
    page.goto(url)
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": rules}).response["violations"]
    context.close()
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/subscribe", "/privacy", "/u/", "/p/", "/u/test", "/nowhere"])
def test_axe_finds_nothing(still_site: Site, chromium, path: str, scheme: str) -> None:
    """Axe finds no breach of WCAG 2.2 AA on any page, light or dark."""
    purpose = {"/u/": "unsubscribe", "/p/": "preferences"}.get(path)
    token = still_site.house.signer.sign(purpose, "3-1") if purpose else ""
    assert breaches(chromium, f"{still_site.url}{path}{token}", scheme) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_an_edition(still_site: Site, chromium, scheme: str) -> None:
    """Axe finds no breach of WCAG 2.2 AA in the sample issue's web edition; the archive that lists it is above."""
    assert breaches(chromium, f"{still_site.url}/brief/2022-11/", scheme) == []
