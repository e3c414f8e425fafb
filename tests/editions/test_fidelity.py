"""Inlining changes nothing that can be seen, whatever MJML holds: every component that mjml-python draws."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mailer.editions.columns import hold_columns
from mailer.editions.compose import tidy, to_html
from mailer.editions.inline import inline
from mailer.editions.mjml_lint import lint
from mailer.editions.mjml_tags import tags
from tests.editions.browser import different, shots

DOCUMENTS = sorted((Path(__file__).parent / "fidelity").glob("*.mjml"))
VIEWS = [(800, "light"), (375, "light"), (800, "dark"), (375, "dark")]
pytestmark = pytest.mark.browser


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_looks_as_mjml_drew_it(browser, tmp_path, document):
    """At most one pixel of a thousand differs, on screens and phones, light and dark."""
    Image.fromarray(np.full((120, 300, 3), (44, 98, 184), dtype=np.uint8)).save(tmp_path / "picture.png")
    mjml = tidy(document.read_text(encoding="utf-8").replace("PICTURE", "picture.png"))
    lint(mjml)
    raw, css = to_html(mjml)
    final = hold_columns(inline(raw, css))
    raw = raw.replace("<head>", f"<head><style>{css}</style>", 1).replace("<!doctype html>", "<!DOCTYPE html>")
    drawn, sent = (shots(browser, tmp_path / "page.html", html, VIEWS) for html in (raw, final))
    assert [different(one, other, by=0) <= 0.001 for one, other in zip(drawn, sent, strict=True)] == [True] * len(VIEWS)


def test_every_component_is_in_the_set():
    """No element that MJML knows is left out."""
    used = {name for path in DOCUMENTS for name in re.findall(r"<(mj[\w-]*)", path.read_text(encoding="utf-8"))}
    assert used == set(tags())
