"""The pages and letters are drawn in the theme that the editions are drawn in."""

import re
from pathlib import Path

import pytest

from mailer.editions.theme import Theme
from mailer.editions.theme_css import theme_css
from mailer.web.pages import Pages

TEMPLATES = Path(__file__).parents[2] / "templates"
THEMES = [TEMPLATES / "brief/theme.toml", *sorted((TEMPLATES / "themes").glob("*.toml"))]
DRAWN = [*sorted((TEMPLATES / "pages").iterdir()), *sorted((TEMPLATES / "notices").iterdir())]


@pytest.mark.parametrize("file", DRAWN, ids=lambda path: path.name)
def test_no_page_has_a_colour_of_its_own(file):
    """Another city's colours and typefaces come from its theme alone: what a page asks for is a token of it."""
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"#(?:[0-9a-f]{3}){1,2}\b(?!;)|Georgia|Segoe", text, re.IGNORECASE) == []
    tokens = set(re.findall(r"--([\w-]+):", theme_css(Theme.load(THEMES[0]))))
    assert set(re.findall(r"var\(--([\w-]+)", text)) <= tokens


@pytest.mark.parametrize("file", THEMES, ids=lambda path: path.stem)
def test_a_letter_wears_the_theme(file, house):
    """A letter has the colours and typefaces of the theme, by day and by night, in every theme."""
    theme = Theme.load(file)
    letter = Pages(TEMPLATES / "notices", house.config, theme).text("letter.html", "es", kind="confirm", link="/x")
    for token in (theme.light.action, theme.light.on_action, theme.dark.paper, theme.dark.heading):
        assert token in letter
    assert f"{theme.shape.radius}px" in letter
