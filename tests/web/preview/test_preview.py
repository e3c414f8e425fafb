"""The preview asked directly: what each view shows, and who may ask for it."""

import re
import shutil

import httpx
import pytest

from mailer.app import App
from mailer.web.preview.application import create
from mailer.web.preview.living import components
from mailer.web.preview.studio import Studio
from tests.web.preview.conftest import FRONT, ROOT


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
