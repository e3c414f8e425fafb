"""The preview in a real browser: how it follows the text, the keyboard and the choices."""

import re
import subprocess
import sys
import time

import pytest

from mailer.chromium import browser
from tests.web.preview.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser() is None, reason="chromium is not installed")]


@pytest.fixture(scope="module")
def preview(lasting):
    """`mailer preview` as a process of its own on a free port; gives its address."""
    order = [
        sys.executable,
        "-m",
        "mailer",
        "--config",
        str(lasting / "config.toml"),
        "preview",
        "2026-12",
        "--port",
        "0",
    ]
    with subprocess.Popen(order, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())[0]
        finally:
            process.terminate()
            process.wait(15)


@pytest.fixture(scope="module")
def chromium():
    """One browser for all."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
        chromium = player.chromium.launch(executable_path=browser(), args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def text(lasting):
    """The issue's text, put back after the test."""
    file = lasting / "issues" / "2026-12" / "issue.md"
    good = file.read_text(encoding="utf-8")
    yield file
    file.write_text(good, encoding="utf-8")


@pytest.fixture
def page(preview, chromium):
    """The preview in chromium, its first edition and verdict there; an error in the console fails the test."""
    errors = []
    shown = chromium.new_page(viewport={"width": 1280, "height": 860})
    shown.on("pageerror", lambda problem: errors.append(str(problem)))
    shown.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    shown.goto(preview)
    shown.wait_for_selector("#stage[data-drawn]")
    shown.wait_for_selector("#findings button", timeout=60_000)
    yield shown
    shown.close()
    assert [problem for problem in errors if "img-src 'none'" not in problem and "422" not in problem] == []


def edition(page):
    """The frame that is shown now."""
    return page.frame_locator("#frames iframe:not(.arriving)")


def until(claim):
    """Wait until a claim is true; ten seconds at the most."""
    end = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_save_is_seen_at_once_and_the_place_is_kept(page, text):
    """The text changes in the open page, which stays where the reader had scrolled to."""
    frame = page.query_selector("#frames iframe:not(.arriving)").content_frame()
    frame.evaluate("scrollTo(0, 500)")
    began = time.monotonic()
    text.write_text(text.read_text(encoding="utf-8").replace("agua de Quito", "lluvia de Quito"), encoding="utf-8")
    edition(page).get_by_text("lluvia de Quito").wait_for(state="attached", timeout=10_000)
    assert time.monotonic() - began < 5  # generous: the machine may be busy; the aim is 0.3
    frame = page.query_selector("#frames iframe:not(.arriving)").content_frame()
    assert frame.evaluate("scrollY") == 500


def test_a_fault_keeps_the_last_good_page_and_says_where(page, text):
    """Half a sentence typed wrong is told above the edition; mended, it goes away."""
    good = text.read_text(encoding="utf-8")
    text.write_text(good.replace("{id=agua}", "{idd=agua}"), encoding="utf-8")
    page.wait_for_selector("#problem:not([hidden])")
    assert "issue.md:10" in page.inner_text("#problem")
    assert edition(page).get_by_text("agua de Quito").count() == 1
    text.write_text(good, encoding="utf-8")
    page.wait_for_selector("#problem", state="hidden")


def test_the_keyboard_goes_everywhere(page):
    """Digits and arrows choose the view, j goes through the findings and the edition follows."""
    page.keyboard.press("2")
    page.wait_for_selector("#frames.phone")
    assert page.eval_on_selector("#frames iframe:not(.arriving)", "frame => frame.contentWindow.innerWidth") == 375
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#tab-dark[aria-selected=true]")
    page.keyboard.press("1")
    page.wait_for_selector("#frames iframe[data-view=desktop]")
    button = page.locator("#findings button", has_text="space").first
    button.focus()
    page.keyboard.press("Enter")
    scrolled = "document.querySelector('#frames iframe:not(.arriving)').contentWindow.scrollY"
    until(lambda: page.evaluate(scrolled) > 500)
    assert edition(page).locator("[data-pointed]").get_attribute("id") == "fuego"
    assert page.eval_on_selector("[aria-selected=true]", "tab => tab.id") == "tab-desktop"


def test_segment_language_and_reader_are_chosen(page):
    """The edition follows each choice; the extremes of a segment are one click away."""
    page.select_option("#segment", "gads")
    edition(page).get_by_text("Solo gads").first.wait_for()
    page.click("[data-extreme='0']")
    edition(page).get_by_text("Alcaldesa").first.wait_for()
    page.select_option("#language", "en")
    edition(page).get_by_text("Mayor").first.wait_for()


def test_a_telephone_s_page_is_as_wide_as_the_telephone(page):
    """The preview itself is read on a telephone too: nothing reaches beyond its edge."""
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 375
