"""How the November edition looks in a real browser: as it did when people were pleased with it."""

import html as markup
import io
import re

import numpy as np
import pytest
from PIL import Image

from mailer.editions.compose import to_html
from mailer.editions.sample import sample_html
from tests.editions.browser import different
from tests.editions.november import IMPRINT, ROOT

pytestmark = pytest.mark.browser

GOLDEN = ROOT / "tests" / "golden"
VIEWS = [(640, "light"), (375, "light"), (640, "dark"), (375, "dark")]
# Fonts of the same family differ a little from machine to machine; a broken column or colour differs much more.
MOST_UNLIKE = 0.02


@pytest.fixture(scope="module")
def shoot(browser, edition, showcase, tmp_path_factory):
    """Take a picture of a whole page in one of the views."""
    folder = tmp_path_factory.mktemp("look")
    (folder / "images").mkdir()
    for image in (*edition.images, *showcase.images):
        (folder / "images" / image.name).write_bytes(image.content)

    def take(html: str, width: int, scheme: str) -> np.ndarray:
        (folder / "page.html").write_text(html, encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        try:
            page.goto((folder / "page.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
            shot = page.screenshot(full_page=True)
        finally:
            page.close()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))

    return take


def _small(shot: np.ndarray) -> Image.Image:
    picture = Image.fromarray(shot)
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)


@pytest.mark.parametrize("name", ["2022-11.es.diplomats", "components"])
@pytest.mark.parametrize("view", VIEWS)
def test_looks_as_it_did(shoot, request, update_golden, view, name):
    """Desktop and phone, light and dark, the November edition and every component look like their golden pictures."""
    width, scheme = view
    path = GOLDEN / f"{name}.{width}.{scheme}.png"
    shown = request.getfixturevalue("showcase" if name == "components" else "edition")
    seen = _small(shoot(sample_html(shown, IMPRINT), width, scheme))
    if update_golden:
        seen.quantize(128).save(path, optimize=True)
    golden = Image.open(path).convert("RGB")
    assert abs(golden.height - seen.height) <= golden.height * 0.02
    if golden.height != seen.height:
        seen = seen.resize(golden.size)
    # Blurred: what counts is where things are and how they are coloured, not how a font was hinted.
    tiny = [np.asarray(each.resize((width // 16, golden.height // 8), Image.Resampling.BOX)) for each in (golden, seen)]
    assert different(tiny[0], tiny[1], by=48) <= MOST_UNLIKE


@pytest.mark.parametrize(("width", "scheme"), [(800, "light"), (375, "light"), (800, "dark"), (375, "dark")])
@pytest.mark.parametrize("which", ["edition", "showcase"])
def test_inlining_changes_nothing_to_be_seen(shoot, request, which, width, scheme):
    """mjml-python's own HTML with its styles in a block, and the HTML that goes out, look the same."""
    edition = request.getfixturevalue(which)
    raw, css = to_html(edition.mjml)
    raw = raw.replace("<head>", f"<head><style>{css}</style>", 1).replace("<!doctype html>", "<!DOCTYPE html>")
    raw = raw.replace(f"{IMPRINT.public_url}/images/", "images/")
    final = edition.html.replace(f"{IMPRINT.public_url}/images/", "images/")
    assert different(shoot(raw, width, scheme), shoot(final, width, scheme), by=0) <= 0.001


def test_stays_in_shape_without_pictures(shoot, edition):
    """With images off the columns hold, and every picture's alt text can be read in its place."""
    bare = sample_html(edition, IMPRINT).replace('src="images/', 'src="missing/')
    with_pictures, without = shoot(sample_html(edition, IMPRINT), 640, "light"), shoot(bare, 640, "light")
    assert abs(with_pictures.shape[0] - without.shape[0]) <= with_pictures.shape[0] * 0.05
    assert all(f'alt="{alt}"' in bare for alt in _alts(edition.html))


def test_columns_hold_without_media_queries(browser, tmp_path, edition):
    """In programs that ignore style blocks, columns stand side by side on a screen and below one another on a phone."""
    bare = re.sub(r"<style.*?</style>", "", sample_html(edition, IMPRINT), flags=re.DOTALL)
    (tmp_path / "page.html").write_text(bare, encoding="utf-8")
    tops = (
        "[...document.querySelectorAll('.mj-column-per-50')].slice(0, 2).map(each => each.getBoundingClientRect().top)"
    )
    for width, side_by_side in ((700, True), (375, False)):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto((tmp_path / "page.html").as_uri())
        first, second = page.evaluate(tops)
        page.close()
        assert (first == second) is side_by_side


@pytest.mark.parametrize("which", ["edition", "showcase"])
def test_fits_the_narrowest_screen(shoot, request, which):
    """At 320 px, which is also a phone's page at 200 %, nothing scrolls sideways."""
    shoot(sample_html(request.getfixturevalue(which), IMPRINT), 320, "light")


def _alts(html: str) -> list[str]:
    return [markup.escape(alt.partition('"')[0]) for alt in html.split('alt="')[1:]]
