"""The preview: what each view shows, who may ask for it, and how it behaves in a real browser."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from mailer.app import App
from mailer.audience.importing.importer import ListFile, import_list
from mailer.audience.register import ImportOrder
from mailer.chromium import browser
from mailer.web.preview.application import create
from mailer.web.preview.living import components
from mailer.web.preview.studio import Studio

ROOT = Path(__file__).parents[3]
FRONT = (
    "---\ntitle: Boletín\nmonth: 2026-12\nnumber: 12\nlanguage: {language}\n"
    "subject: Un asunto que tiene el largo debido\n"
    "preheader: Una frase que acompaña al asunto en la bandeja de entrada.\n---\n"
)
BODY = (
    "### El agua\n{id=agua}\n\n![Una fuente](images/fuente.svg)\n\nUn texto sobre el agua de Quito.\n\n"
    "### El viento\n{id=viento}\n\n" + "Un texto muy largo sobre el viento. " * 120 + "\n\n"
    "### El fuego\n{id=fuego}\n\nDijo , y calló.\n\n### Solo gads\n{id=gads segments=gads}\n\nPara ustedes.\n"
)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="675">'
    '<rect width="1200" height="675" fill="#0B2A5B"/></svg>'
)
LIST = (
    "correo,tratamiento,nombre,cargo,institución\n"
    "ana@gad.example,Dra.,Ana,Alcaldesa del cantón Nabón,GAD Municipal de Nabón\n"
    "zoe@gad.example,,,,\n"
)

needs_chromium = pytest.mark.skipif(browser() is None, reason="chromium is not installed")


@pytest.fixture
def folder(tmp_path):
    """A publication with an issue in two languages and two readers."""
    shutil.copytree(ROOT / "templates" / "brief", tmp_path / "templates" / "brief")
    images = tmp_path / "issues" / "2026-12" / "images"
    images.mkdir(parents=True)
    (images / "fuente.svg").write_text(SVG, encoding="utf-8")
    (images.parent / "issue.md").write_text(FRONT.format(language="es") + BODY, encoding="utf-8")
    (images.parent / "issue.en.md").write_text(FRONT.format(language="en") + BODY, encoding="utf-8")
    (tmp_path / "gads.csv").write_text(LIST, encoding="utf-8")
    (tmp_path / "config.toml").write_text((ROOT / "config.toml").read_text(encoding="utf-8"), encoding="utf-8")
    app = App.load(tmp_path / "config.toml")
    order = ImportOrder(segment="gads", source="gads.csv", who="test")
    import_list(ListFile(path=tmp_path / "gads.csv"), order, app.register)
    app.close()
    return tmp_path


@pytest.fixture
async def client(folder):
    """The application asked directly, its watch running."""
    app = App.load(folder / "config.toml")
    made = create(Studio(app, "2026-12"))
    transport = httpx.ASGITransport(app=made)
    async with (
        made.router.lifespan_context(made),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as asked,
    ):
        yield asked
    app.close()


async def test_only_this_machine_s_names_are_answered(client):
    """A page elsewhere whose name was made to lead here gets nothing, and nothing can be changed."""
    assert (await client.get("/")).status_code == 200
    assert (await client.get("/", headers={"Host": "evil.example"})).status_code == 400
    assert (await client.post("/")).status_code == 405


async def test_the_page_loads_nothing_from_elsewhere(client):
    """No address of another host in page, style or script, and a policy that forbids it."""
    for path in ("/", "/preview.css", "/preview.js"):
        answer = await client.get(path)
        assert not re.search(r"https?://|//[a-z]+\.", answer.text.replace("http://www.w3.org", ""))
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "--paper:#FBFAF7" in (await client.get("/theme.css")).text


async def test_each_view_shows_what_it_says(client):
    """Light and dark are told by the view, not by this machine; text and source are escaped; slots are filled."""
    pages = {}
    for view in ("desktop", "phone", "dark", "forced-dark", "images-off", "text", "source"):
        answer = await client.get(f"/edition/gads/es/{view}")
        assert answer.status_code == 200
        assert "@@" not in answer.text or view == "source"
        pages[view] = answer
    assert "prefers-color-scheme" not in pages["desktop"].text + pages["dark"].text
    assert "(min-width:0px)" in pages["dark"].text
    assert "(max-width:0px)" in pages["desktop"].text
    assert "invert(1)" in pages["forced-dark"].text
    assert "img-src 'none'" in pages["images-off"].headers["Content-Security-Policy"]
    assert "&lt;mj-section" in pages["source"].text
    assert "EL AGUA" in pages["text"].text.upper()


async def test_segments_readers_and_pictures(client):
    """Each segment its articles, each reader their greeting, each picture its bytes."""
    diplomats, gads = [(await client.get(f"/edition/{name}/es/desktop")).text for name in ("diplomats", "gads")]
    assert "Solo gads" in gads
    assert "Solo gads" not in diplomats
    (ana,) = (await client.get("/readers/gads?q=NABON")).json()
    assert ana["address"] == "ana@gad.example"
    shown = (await client.get(f"/edition/gads/es/desktop?reader={ana['id']}")).text
    assert ana["greeting"] in shown
    longest, emptiest = (await client.get("/readers/gads?extremes")).json()
    assert (longest["address"], emptiest["address"]) == ("ana@gad.example", "zoe@gad.example")
    picture = re.search(r"/images/[0-9a-f]+\.png", gads)
    assert (await client.get(picture[0])).headers["Content-Type"] == "image/png"


async def test_what_is_not_there_is_404_and_what_cannot_be_read_is_told(client, folder):
    """An unknown view, segment or picture; a fault of the author comes with file and line."""
    for path in ("/edition/gads/es/xray", "/edition/nobody/es/desktop", "/images/none.png"):
        assert (await client.get(path)).status_code == 404
    (folder / "issues" / "2026-12" / "issue.md").write_text(FRONT.format(language="es") + "### A\n{layout=odd}\n\nx\n")
    answer = await client.get("/edition/gads/es/desktop")
    assert answer.status_code == 422
    assert "issues/2026-12/issue.md:10" in answer.text


async def test_the_components_are_shown_with_their_markdown(folder):
    """`preview --components`: every piece and how it is written; a fault of a template is told with its line."""
    shutil.copytree(ROOT / "templates" / "showcase", folder / "templates" / "showcase")
    app = App.load(folder / "config.toml")
    transport = httpx.ASGITransport(app=components(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        page = (await client.get("/")).text
        assert page.count("<section data-of=") > 20
        assert "{layout=agreement id=convenio" in page
        (folder / "templates" / "brief" / "components" / "footer.mjml").write_text("<mj-odd></mj-odd>")
        answer = await client.get("/")
        assert (answer.status_code, "footer.mjml:1" in answer.text) == (422, True)
    app.close()


@pytest.fixture
def preview(folder):
    """`mailer preview` as a process of its own on a free port; gives its address."""
    order = [
        sys.executable,
        "-m",
        "mailer",
        "--config",
        str(folder / "config.toml"),
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


@pytest.fixture
def page(preview):
    """The preview in chromium, its first edition and verdict there; an error in the console fails the test."""
    from playwright.sync_api import sync_playwright

    errors = []
    with sync_playwright() as player:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
        chromium = player.chromium.launch(executable_path=browser(), args=arguments)
        shown = chromium.new_page(viewport={"width": 1280, "height": 860})
        shown.on("pageerror", lambda problem: errors.append(str(problem)))
        shown.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        shown.goto(preview)
        shown.wait_for_selector("#stage[data-drawn]")
        shown.wait_for_selector("#findings button", timeout=60_000)
        yield shown
        chromium.close()
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


@pytest.mark.browser
@needs_chromium
def test_a_save_is_seen_at_once_and_the_place_is_kept(page, folder):
    """The text changes in the open page, which stays where the reader had scrolled to."""
    file = folder / "issues" / "2026-12" / "issue.md"
    frame = page.query_selector("#frames iframe:not(.arriving)").content_frame()
    frame.evaluate("scrollTo(0, 500)")
    began = time.monotonic()
    file.write_text(file.read_text(encoding="utf-8").replace("agua de Quito", "lluvia de Quito"), encoding="utf-8")
    edition(page).get_by_text("lluvia de Quito").wait_for(state="attached", timeout=10_000)
    assert time.monotonic() - began < 5  # generous: the machine may be busy; the aim is 0.3
    frame = page.query_selector("#frames iframe:not(.arriving)").content_frame()
    assert frame.evaluate("scrollY") == 500


@pytest.mark.browser
@needs_chromium
def test_a_fault_keeps_the_last_good_page_and_says_where(page, folder):
    """Half a sentence typed wrong is told above the edition; mended, it goes away."""
    file = folder / "issues" / "2026-12" / "issue.md"
    good = file.read_text(encoding="utf-8")
    file.write_text(good.replace("{id=agua}", "{idd=agua}"), encoding="utf-8")
    page.wait_for_selector("#problem:not([hidden])")
    assert "issue.md:10" in page.inner_text("#problem")
    assert edition(page).get_by_text("agua de Quito").count() == 1
    file.write_text(good, encoding="utf-8")
    page.wait_for_selector("#problem", state="hidden")


@pytest.mark.browser
@needs_chromium
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


@pytest.mark.browser
@needs_chromium
def test_segment_language_and_reader_are_chosen(page):
    """The edition follows each choice; the extremes of a segment are one click away."""
    page.select_option("#segment", "gads")
    edition(page).get_by_text("Solo gads").first.wait_for()
    page.click("[data-extreme='0']")
    edition(page).get_by_text("Alcaldesa").first.wait_for()
    page.select_option("#language", "en")
    edition(page).get_by_text("Mayor").first.wait_for()
